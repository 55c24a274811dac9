"""Losses of labels that are numbers: the circle loss of embeddings, and one for labels that may be wrong."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.engine.criteria import as_tensors
from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops.losses import labelled as fn


@registry.add
class Circle(Loss):
    """The circle loss: embeddings of equal labels near each other, others far; the formula is that of `keras.losses.circle`

    y_true: integers (b,), y_pred: (b, d), rows of length 1. Rows whose loss is 0 don't count in the mean.

    >>> from hornbeam import keras
    >>> rows = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    >>> round(float(keras.losses.Circle(gamma=1.0)([0, 0, 1], rows)), 3)
    0.546
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b,) against (b, d) -> (b,)"""
        loss = fn.circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )
        loss._keras_mask = loss > 0
        return loss

    def _truth(self, y_true: Any) -> Any:
        return as_tensors(y_true)


@registry.add
class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p[y_true]^q) / q, for labels that are numbers of classes, some of which may be wrong

    y_true: integers (b, ...), y_pred: probabilities (b, ..., classes)

    >>> from hornbeam import keras
    >>> float(keras.losses.CategoricalGeneralizedCrossEntropy()([0, 1], [[0.25, 0.75], [0.0, 1.0]]))
    0.5
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        """Raises ValueError for `q` outside of 0 to 1."""
        if not 0 < q < 1:
            raise ValueError(f"`q` is a number between 0 and 1; received {q!r}.")
        super().__init__(name, reduction, dtype)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ...) against (b, ..., classes) -> (b, ...)"""
        return fn.categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def _truth(self, y_true: Any) -> Any:
        return as_tensors(y_true)
