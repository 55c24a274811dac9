"""Penalties on weights, added to the loss."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.core.errors import unknown_name
from hornbeam.keras.registry import Configurable, Registry
from hornbeam.ops.weights import l1_l2_penalty, orthogonal_penalty

registry = Registry("regularizer", "keras.regularizers")


class Regularizer(Configurable):
    """A function of a weight (or of a layer's output) that returns a penalty, a scalar.

    Own regularizers derive from this class and implement `__call__(x)`; a plain function serves as well.

    >>> from hornbeam import keras
    >>> class Largest(keras.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return keras.ops.max(x)
    >>> float(Largest()(keras.ops.ones((2, 2))))
    1.0
    """

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`; 0 here."""
        return 0.0


class L1L2(Regularizer):
    """l1 * sum |x| + l2 * sum x^2.

    >>> from hornbeam import keras
    >>> float(keras.regularizers.L1L2(l1=0.5, l2=0.25)(keras.ops.array([1.0, -2.0])))
    2.75
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        """Raises ValueError for negative or infinite factors."""
        self.l1 = _factor("l1", l1, 0.0)
        self.l2 = _factor("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`."""
        return l1_l2_penalty(x, self.l1, self.l2)


class L1(Regularizer):
    """l1 * sum |x|: draws weights to exactly 0.

    >>> from hornbeam import keras
    >>> float(keras.regularizers.L1(0.5)(keras.ops.array([1.0, -2.0])))
    1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        """Raises ValueError for a negative or infinite factor."""
        self.l1 = _factor("l1", l1, 0.01)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`."""
        return l1_l2_penalty(x, self.l1, 0.0)


class L2(Regularizer):
    """l2 * sum x^2: keeps weights small. (No factor of one half.)

    >>> from hornbeam import keras
    >>> float(keras.regularizers.L2(0.25)(keras.ops.array([1.0, -2.0])))
    1.25
    """

    def __init__(self, l2: float = 0.01) -> None:
        """Raises ValueError for a negative or infinite factor."""
        self.l2 = _factor("l2", l2, 0.01)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`."""
        return l1_l2_penalty(x, 0.0, self.l2)


class OrthogonalRegularizer(Regularizer):
    """factor * the mean absolute cosine between the rows ("rows") or columns ("columns") of a matrix.

    0 where all are orthogonal to each other, `factor` where all are parallel.

    >>> from hornbeam import keras
    >>> float(keras.regularizers.OrthogonalRegularizer(0.5)(keras.ops.ones((2, 3))))
    0.5
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        """Raises ValueError for a negative factor or an unknown mode."""
        self.factor = _factor("factor", factor, 0.01)
        if mode not in ("rows", "columns"):
            raise unknown_name("mode of OrthogonalRegularizer", mode, ("rows", "columns"))
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        """Return the penalty of a matrix. Raises ValueError unless it has two axes."""
        if len(inputs.shape) != 2:
            raise ValueError(
                f"OrthogonalRegularizer takes a matrix, with two axes; received shape {tuple(inputs.shape)}."
            )
        return orthogonal_penalty(inputs, self.factor, self.mode)


def _factor(name: str, value: Any, default: float) -> float:
    """`value` as a float; `default` for None, as in Keras."""
    if value is None:
        return default
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise ValueError(f"`{name}` must be a number >= 0; received {value!r}.")
    number = float(value)
    if not (number >= 0 and math.isfinite(number)):
        raise ValueError(f"`{name}` must be a finite number >= 0; received {value!r}.")
    return number


registry.add(L1)
registry.add(L2)
registry.add(L1L2, "l1_l2", "l1l2")
registry.add(OrthogonalRegularizer)


def get(identifier: Any) -> Any:
    """Return the regularizer that a name, a configuration, a class or a function stands for; None for None.

    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.regularizers.get("l2").l2
    0.01
    """
    return registry.get(identifier)


def serialize(regularizer: Any) -> Any:
    """Return the configuration of a regularizer.

    >>> from hornbeam import keras
    >>> keras.regularizers.serialize(keras.regularizers.L1(0.1))["config"]
    {'l1': 0.1}
    """
    return registry.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the regularizer that `serialize` described.

    >>> from hornbeam import keras
    >>> keras.regularizers.deserialize({"class_name": "L1", "config": {"l1": 0.1}}).l1
    0.1
    """
    return registry.deserialize(config, custom_objects)
