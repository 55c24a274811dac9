"""Hinge losses, averaged over samples. The formulas are on the functions in `keras.losses`."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.metrics.base import registry
from hornbeam.keras.metrics.reduction import MeanMetricWrapper
from hornbeam.ops import losses as fn


@registry.add
class Hinge(MeanMetricWrapper):
    """mean(max(1 - y_true * y_pred, 0)) for labels -1 and 1 (or 0 and 1)

    >>> from hornbeam import keras
    >>> float(keras.metrics.Hinge()([[-1.0, 1.0]], [[-2.0, 0.5]]))
    0.25
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(fn.hinge, name, dtype)


@registry.add
class SquaredHinge(MeanMetricWrapper):
    """mean(max(1 - y_true * y_pred, 0)^2) for labels -1 and 1 (or 0 and 1)

    >>> from hornbeam import keras
    >>> float(keras.metrics.SquaredHinge()([[-1.0, 1.0]], [[-2.0, 0.5]]))
    0.125
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(fn.squared_hinge, name, dtype)


@registry.add
class CategoricalHinge(MeanMetricWrapper):
    """max(1 + the best score of a wrong class - the score of the right one, 0), for one-hot labels

    >>> from hornbeam import keras
    >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.4]]))
    0.7
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(fn.categorical_hinge, name, dtype)
