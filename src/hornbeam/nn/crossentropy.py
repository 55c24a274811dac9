"""Losses on logits, one number for each sample."""

from __future__ import annotations

from typing import Any

from hornbeam import ops


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """-z log(s(x)) - (1 - z) log(1 - s(x)) for labels z and logits x, element by element.

    >>> import hornbeam as tf
    >>> tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]).numpy()
    array([0.6931472], dtype=float32)
    """
    return ops.binary_crossentropy(labels, logits, from_logits=True)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Any:
    """-sum(labels log(softmax(logits))) along an axis. (b, c), (b, c) -> (b,)"""
    return ops.negative(ops.sum(ops.multiply(labels, ops.log_softmax(logits, axis)), axis))


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Any:
    """-log(softmax(logits)[label]); NaN for a label that is no class. (b,), (b, c) -> (b,)"""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
