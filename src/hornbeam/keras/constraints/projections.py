"""Conditions on weights, restored after every update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.keras.registry import Configurable, Registry
from hornbeam.ops.weights import with_norms, without_negatives

registry = Registry("constraint", "keras.constraints")

Axis = int | Sequence[int]


class Constraint(Configurable):
    """A function that maps a weight to the nearest allowed value; optimizers call it after each update.

    Own constraints derive from this class and implement `__call__(w)`; a plain function serves as well.

    >>> from hornbeam import keras
    >>> class Centred(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return w - keras.ops.mean(w)
    >>> Centred()(keras.ops.array([1.0, 3.0])).numpy()
    array([-1.,  1.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """Return the allowed value; `w` itself here."""
        return w


class MaxNorm(Constraint):
    """Norms along `axis` at most `max_value`; longer ones are scaled down.

    For a Dense kernel (inputs, units), axis 0 bounds the weights of each unit; for a Conv2D kernel (h, w, inputs,
    filters), axis [0, 1, 2]. Source: Srivastava et al., 2014, "Dropout".

    >>> from hornbeam import keras
    >>> keras.constraints.MaxNorm(1.0)(keras.ops.array([[3.0], [4.0]])).numpy()
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed value."""
        return with_norms(w, 0.0, self.max_value, 1.0, self.axis)


class NonNeg(Constraint):
    """No negative weight: those become 0.

    >>> from hornbeam import keras
    >>> keras.constraints.NonNeg()(keras.ops.array([-1.0, 2.0])).numpy()
    array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """Return the allowed value."""
        return without_negatives(w)


class UnitNorm(Constraint):
    """Norms along `axis` equal to 1.

    >>> from hornbeam import keras
    >>> keras.constraints.UnitNorm()(keras.ops.array([[3.0], [4.0]])).numpy()
    array([[0.6],
           [0.8]], dtype=float32)
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed value."""
        return with_norms(w, 1.0, 1.0, 1.0, self.axis)


class MinMaxNorm(Constraint):
    """Norms along `axis` between `min_value` and `max_value`, approached by the share `rate` at each update.

    >>> from hornbeam import keras
    >>> w = keras.constraints.MinMaxNorm(0.0, 1.0, rate=0.5)(keras.ops.array([[3.0], [4.0]]))
    >>> float(w[0, 0]), float(w[1, 0])
    (1.80, 2.40)
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed value."""
        return with_norms(w, self.min_value, self.max_value, self.rate, self.axis)


for _cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm):
    registry.add(_cls)


def get(identifier: Any) -> Any:
    """Return the constraint that a name, a configuration, a class or a function stands for; None for None.

    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.constraints.get("max_norm").max_value
    2
    """
    return registry.get(identifier)


def serialize(constraint: Any) -> Any:
    """Return the configuration of a constraint.

    >>> from hornbeam import keras
    >>> keras.constraints.serialize(keras.constraints.MaxNorm(3))["config"]
    {'max_value': 3, 'axis': 0}
    """
    return registry.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the constraint that `serialize` described.

    >>> from hornbeam import keras
    >>> keras.constraints.deserialize({"class_name": "UnitNorm", "config": {"axis": 1}}).axis
    1
    """
    return registry.deserialize(config, custom_objects)
