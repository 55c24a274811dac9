"""Sequences of labels whose places in time are not known, as `keras.backend` has them: over probabilities."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.config import epsilon
from hornbeam.core.typing import TensorLike
from hornbeam.ops.ctc import cost_of_probabilities, merged


def ctc_batch_cost(
    y_true: TensorLike, y_pred: TensorLike, input_length: TensorLike, label_length: TensorLike
) -> Any:
    """Return -log p(labels) of probabilities whose last class is the blank; (b, labels), (b, frames, classes) -> (b, 1)

    input_length and label_length: (b, 1). Labels that don't fit into their frames have the loss inf, and no gradient.

    >>> from hornbeam.keras import backend as K
    >>> loss = K.ctc_batch_cost([[0, 1]], K.ones((1, 3, 3)) / 3, [[3]], [[2]])
    >>> print(loss.numpy().round(4))  # 5 of 27 ways
    [[1.6864]]
    """
    return cost_of_probabilities(y_true, y_pred, input_length, label_length)


def ctc_decode(
    y_pred: TensorLike,
    input_length: TensorLike,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
) -> tuple[list[Any], Any]:
    """Return the most probable labels, followed by -1, and how probable they are; the last class is the blank.

    y_pred: probabilities (b, frames, classes), input_length: (b,) -> a list of labels (b, frames), and for `greedy` minus the sum
    of the logarithms of the best probabilities (b, 1), else the logarithms of the probabilities of the `top_paths` (b, top_paths).
    Equal neighbours in what the beam search finds are one, as in TensorFlow.

    >>> from hornbeam.keras import backend as K
    >>> labels, _ = K.ctc_decode([[[0.9, 0.0, 0.1], [0.9, 0.0, 0.1], [0.1, 0.8, 0.1]]], [3])
    >>> print(labels[0].numpy())
    [[ 0  1 -1]]
    """
    scores = ops.log(ops.add(y_pred, epsilon()))
    if greedy:
        labels, score = ops.ctc_decode(scores, input_length, mask_index=None)
        return [ops.cast(labels[0], "int64")], score
    labels, score = ops.ctc_decode(
        scores, input_length, "beam_search", beam_width, top_paths, mask_index=None
    )
    return [merged(each) for each in ops.unstack(labels, axis=0)], score
