"""The loss of sequences of labels whose places in time are not known."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.ctc import ctc_loss
from hornbeam.ops.losses.common import shape_error


@op
def ctc(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return `keras.ops.ctc_loss` of labels that are followed by zeros, with all frames; 0 is the blank.

    y_true: integers (b, labels), y_pred: logits (b, frames, classes) -> (b,)

    >>> from hornbeam import keras
    >>> print(keras.losses.ctc([[1, 2, 0]], keras.ops.zeros((1, 3, 3))).numpy().round(4))
    [1.6864]
    """
    labels, logits = array(y_true), array(y_pred)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise shape_error("ctc", labels, logits, "the shapes (b, labels) and (b, frames, classes)")
    count = jnp.sum(labels != 0, axis=-1)
    frames = jnp.full(logits.shape[0], logits.shape[1])
    return ctc_loss.raw(labels, logits, count, frames)
