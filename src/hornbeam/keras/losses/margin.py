"""Losses that ask for a margin: a right answer costs nothing once it is right by 1."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops import losses as fn


@registry.add
class Hinge(Loss):
    """mean(max(1 - y_true * y_pred, 0)) for labels -1 and 1 (or 0 and 1)

    >>> from hornbeam import keras
    >>> float(keras.losses.Hinge()([[-1.0, 1.0]], [[-2.0, 0.5]]))
    0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.hinge(y_true, y_pred)


@registry.add
class SquaredHinge(Loss):
    """mean(max(1 - y_true * y_pred, 0)^2) for labels -1 and 1 (or 0 and 1)

    >>> from hornbeam import keras
    >>> float(keras.losses.SquaredHinge()([[-1.0, 1.0]], [[-2.0, 0.5]]))
    0.125
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.squared_hinge(y_true, y_pred)


@registry.add
class CategoricalHinge(Loss):
    """max(1 + the best score of a wrong class - the score of the right one, 0), for one-hot labels

    >>> from hornbeam import keras
    >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.4]]))
    0.7
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., classes) -> (b, ...)"""
        return fn.categorical_hinge(y_true, y_pred)
