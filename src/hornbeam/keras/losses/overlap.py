"""Losses that compare sets, as in segmentation: one number for the whole batch unless `axis` is set.

y_true and y_pred are memberships from 0 to 1 of the same shape. Raises ValueError for shapes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops.losses.overlap import dice, tversky


@registry.add
class Dice(Loss):
    """1 - 2 * overlap / (the two sizes together)

    >>> from hornbeam import keras
    >>> float(keras.losses.Dice()([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]))
    0.3333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number, or those of the axes that are left."""
        return dice(y_true, y_pred, self.axis)


@registry.add
class Tversky(Loss):
    """1 - overlap / (overlap + alpha * only true + beta * only predicted)

    >>> from hornbeam import keras
    >>> float(keras.losses.Tversky(alpha=1.0)([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]))
    0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number, or those of the axes that are left."""
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)
