"""What every learning-rate schedule shares, and the table of their names."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.registry import Configurable, Registry

registry = Registry("learning-rate schedule", "keras.optimizers.schedules")


class LearningRateSchedule(Configurable):
    """A learning rate that depends on the number of updates so far.

    Own schedules derive from this class and implement `__call__(step)`.

    >>> from hornbeam import keras
    >>> class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return keras.ops.minimum(0.1, 0.01 * (step + 1))
    >>> float(keras.optimizers.SGD(Warmup()).learning_rate)
    0.01
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, step)`.")


def check_steps(name: str, value: Any) -> None:
    """Raise ValueError unless a number of steps is positive."""
    if not value > 0:
        raise ValueError(f"`{name}` must be > 0; received {value!r}.")
