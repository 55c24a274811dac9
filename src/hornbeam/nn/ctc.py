"""Sequences of labels whose places in time are not known."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.tensor import convert_to_tensor, is_traced, unwrap
from hornbeam.core.typing import TensorLike
from hornbeam.ops.ctc import collapsed


def ctc_loss(
    labels: TensorLike,
    logits: TensorLike,
    label_length: TensorLike,
    logit_length: TensorLike,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Any:
    """-log p(labels), summed over all ways to lay them out in time. (b, labels), (frames, b, classes) -> (b,)

    `logits_time_major=False` takes logits (b, frames, classes). `blank_index` is the class of the blank, by default 0; negative
    ones count from the end. `unique`, which only makes TensorFlow faster, changes nothing. Labels that don't fit into their
    frames have a loss of about 707 more. Raises InvalidArgumentError for labels that are not dense, (b, labels).

    >>> import hornbeam as tf
    >>> loss = tf.nn.ctc_loss([[1, 2]], tf.zeros((3, 1, 3)), [2], [3])
    >>> print(loss.numpy().round(4))  # 5 of 27 ways
    [1.6864]
    """
    if logits_time_major:
        logits = ops.transpose(convert_to_tensor(logits), (1, 0, 2))
    return ops.ctc_loss(labels, logits, label_length, logit_length, blank_index or 0)


def collapse_repeated(labels: TensorLike, seq_length: TensorLike, name: str | None = None) -> Any:
    """Labels of which no two neighbours are equal, followed by 0, and how many there are. (b, n), (b,) -> (b, m), (b,)

    m is the largest number; in a compiled function, where it isn't known, it is n.

    >>> import hornbeam as tf
    >>> labels, lengths = tf.nn.collapse_repeated([[1, 1, 2, 2, 1], [1, 2, 2, 3, 3]], [5, 3])
    >>> print(labels.numpy().tolist(), lengths.numpy())
    [[1, 2, 1], [1, 2, 0]] [3 2]
    """
    found, count = collapsed(labels, seq_length)
    if is_traced(unwrap(count)):
        return found, count
    return found[:, : int(ops.max(count))], count
