"""Optimizers of users, which override `update_step` as in Keras."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def overrides_update_step(cls: type, base: type) -> bool:
    """Return whether a class updates by an own `update_step`: one that is nearer to it than a `rule` of its bases."""
    for each in cls.__mro__[: cls.__mro__.index(base)]:
        if "update_step" in vars(each):
            return True
        if "rule" in vars(each):
            return False
    return False


def own_step(optimizer: Any) -> Callable[[Any, Any, Any], Any]:
    """Return an optimizer's `update_step(gradient, variable, learning_rate)`.

    One with two parameters, as Keras 2.11 to 2.15 called it, reads the learning rate itself.
    """
    step = optimizer.update_step
    try:
        inspect.signature(step).bind(None, None, None)
    except TypeError:
        return lambda gradient, variable, learning_rate: step(gradient, variable)
    return step


def missing_step(optimizer: Any) -> NotImplementedError:
    """Return the error for an optimizer without a rule and without an `update_step`."""
    name, advice = type(optimizer).__name__, ""
    if hasattr(optimizer, "_resource_apply_dense"):
        advice = (
            " `_resource_apply_dense(gradient, variable)` was its name in Keras 2: rename it, and make slots in "
            "`build(variables)` with `add_variable_from_reference`."
        )
    return NotImplementedError(
        f"{name} must implement `update_step(gradient, variable, learning_rate)`.{advice}"
    )
