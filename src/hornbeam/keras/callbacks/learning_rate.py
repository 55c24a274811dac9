"""The optimizer's learning rate, read and set by callbacks."""

from __future__ import annotations

from typing import Any


def learning_rate(model: Any) -> float:
    """Return the learning rate of the model's optimizer now."""
    return float(model.optimizer.learning_rate)


def set_learning_rate(model: Any, value: float) -> None:
    """Set the learning rate of the model's optimizer.

    Raises:
        TypeError: the optimizer follows a `LearningRateSchedule`.
    """
    variable = model.optimizer.learning_rate
    if not hasattr(variable, "assign"):
        raise TypeError(
            "This optimizer was created with a `LearningRateSchedule` as its `learning_rate`, so a callback can't set it. "
            "Create the optimizer with a float `learning_rate`, or leave out the callback."
        )
    variable.assign(value)
