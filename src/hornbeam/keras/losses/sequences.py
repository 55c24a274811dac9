"""Losses of sequences of labels whose places in time are not known."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.engine.criteria import as_tensors
from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops.losses.ctc import ctc


@registry.add
class CTC(Loss):
    """-log p(labels), summed over all ways to lay them out in time; the formula is that of `keras.ops.ctc_loss`

    y_true: integers (b, labels), followed by 0, which is the class of the blank; y_pred: logits (b, frames, classes)

    >>> from hornbeam import keras
    >>> loss = keras.losses.CTC()([[1, 2, 0]], keras.ops.zeros((1, 3, 3)))
    >>> round(float(loss), 4)
    1.6864
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, labels) against (b, frames, classes) -> (b,)"""
        return ctc(y_true, y_pred)

    def _truth(self, y_true: Any) -> Any:
        return as_tensors(y_true)
