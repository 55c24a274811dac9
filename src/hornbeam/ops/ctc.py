"""Connectionist temporal classification: sequences of labels whose places in time are not known.

A label may stand for several frames in a row, and a blank may stand between labels and must between two equal ones. Source:
Graves et al., 2006, "Connectionist temporal classification".
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import argmax, array, inexact

__all__ = ["ctc_decode", "ctc_loss"]

# What an impossible step costs, as in TensorFlow: log(1e-307). So the loss of labels that do not fit into their frames is about
# 707 more than one that does, and has a gradient, where the logarithm of 0 has none.
_IMPOSSIBLE = -706.893623


@op
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> jax.Array:
    """Return -log p(labels), summed over all ways to lay them out in time.

    target: integers (b, labels), output: logits (b, frames, classes), target_length and output_length: (b,); -> (b,).
    `mask_index` is the class of the blank. Labels that don't fit into their frames have a loss of about 707 more.

    >>> from hornbeam.keras import ops
    >>> loss = ops.ctc_loss([[1, 2]], ops.zeros((1, 3, 3)), [2], [3])
    >>> print(loss.numpy().round(4))  # 5 of 27 ways
    [1.6864]
    """
    labels = array(target).astype("int32")
    logits = _logits(output)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ValueError(
            f"`ctc_loss` takes labels (b, labels) and logits (b, frames, classes); received the shapes {labels.shape} and "
            f"{logits.shape}."
        )
    count, classes = labels.shape[1], logits.shape[2]
    blank = _blank(mask_index, classes)
    label_length = array(target_length).astype("int32").reshape(-1)
    frames = array(output_length).astype("int32").reshape(-1)
    labels = jnp.where(jnp.arange(count) < label_length[:, None], labels, blank)
    # States: a blank, the first label, a blank, the second label, ..., a blank.
    states = jnp.full((labels.shape[0], 2 * count + 1), blank).at[:, 1::2].set(labels)
    scores = jnp.take_along_axis(jax.nn.log_softmax(logits), states[:, None, :], axis=2)
    # From one label to the next without a blank, unless they are equal.
    skips = (states[:, 2:] != states[:, :-2]) & (states[:, 2:] != blank)
    skip = _moved(jnp.where(skips, 0.0, _IMPOSSIBLE).astype(logits.dtype), 2, 0.0)

    def step(alpha: jax.Array, frame: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        score, is_inside = frame
        one, two = (_moved(alpha, n, _IMPOSSIBLE * 2)[:, : alpha.shape[1]] for n in (1, 2))
        near = [alpha, one, two + skip]
        new = jax.nn.logsumexp(jnp.stack(near), axis=0) + score
        return jnp.where(is_inside[:, None], new, alpha), None

    first = jnp.full(states.shape, _IMPOSSIBLE, logits.dtype).at[:, 0].set(0.0)
    inside = jnp.arange(logits.shape[1])[:, None] < frames[None, :]
    alpha, _ = jax.lax.scan(step, first, (scores.swapaxes(0, 1), inside))
    last = 2 * label_length[:, None]
    in_blank = jnp.take_along_axis(alpha, last, axis=1)[:, 0]
    in_label = jnp.take_along_axis(alpha, jnp.maximum(last - 1, 0), axis=1)[:, 0]
    return -jnp.where(label_length > 0, jnp.logaddexp(in_blank, in_label), in_blank)


def _logits(output: TensorLike) -> jax.Array:
    logits = inexact(output)
    return logits.astype(jnp.promote_types(logits.dtype, jnp.float32))


def _blank(mask_index: int | None, classes: int) -> int:
    """Return the class of the blank; negative numbers count from the end, None is the last one."""
    index = classes - 1 if mask_index is None else mask_index
    if not -classes <= index < classes:
        raise ValueError(f"The blank is one of {classes} classes; received {mask_index!r}.")
    return index % classes


def _moved(x: jax.Array, places: int, before: float | bool) -> jax.Array:
    """Return rows with as many elements, all the same, before them."""
    return jnp.concatenate([jnp.full((x.shape[0], places), before, x.dtype), x], axis=1)


def starts(labels: jax.Array) -> jax.Array:
    """Return where labels, in rows, differ from the one before them."""
    return _moved(labels[:, 1:] != labels[:, :-1], 1, True)[:, : labels.shape[1]]


def ahead(labels: jax.Array, kept: jax.Array, rest: int) -> jax.Array:
    """Return the labels of each row that are kept, in their order, followed by `rest`."""
    places = jnp.arange(labels.shape[1])
    order = jnp.argsort(jnp.where(kept, places, places.size), axis=1)
    return jnp.take_along_axis(jnp.where(kept, labels, rest), order, axis=1)


@op
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[jax.Array, jax.Array]:
    """Return the most probable labels of sequences, followed by -1, and how probable they are.

    inputs: logits (b, frames, classes), sequence_lengths: (b,). With the strategy "greedy", the best class of each frame counts:
    -> labels (1, b, frames), and minus the sum of their logits (b, 1). "beam_search" follows the `beam_width` best beginnings:
    -> labels (top_paths, b, frames), the logarithms of their probabilities (b, top_paths). `mask_index` is the class of the
    blank, the last one if it is None. `merge_repeated=False` lets "greedy" keep equal labels side by side.

    >>> from hornbeam.keras import ops
    >>> logits = ops.one_hot([[1, 1, 0, 2]], 3)
    >>> labels, score = ops.ctc_decode(logits, [4])
    >>> print(labels.numpy()[0], score.numpy()[0])
    [[ 1  2 -1 -1]] [-4.]
    """
    logits = _logits(inputs)
    if logits.ndim != 3:
        raise ValueError(
            f"`ctc_decode` takes logits (b, frames, classes); received {logits.shape}."
        )
    lengths = array(sequence_lengths).astype("int32").reshape(-1)
    blank = _blank(mask_index, logits.shape[2])
    if strategy == "greedy":
        return _greedy(logits, lengths, merge_repeated, blank)
    if strategy != "beam_search":
        raise ValueError(f"`strategy` is 'greedy' or 'beam_search'; received {strategy!r}.")
    if top_paths > beam_width:
        raise ValueError(
            f"`top_paths` is at most `beam_width`; received {top_paths} and {beam_width}."
        )

    def search(scores: jax.Array, length: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _searched(scores, length, beam_width, top_paths, blank)

    paths, values = jax.vmap(search)(jax.nn.log_softmax(logits), lengths)
    return paths.swapaxes(0, 1), values


def _greedy(
    logits: jax.Array, lengths: jax.Array, merge_repeated: bool, blank: int
) -> tuple[jax.Array, jax.Array]:
    frames = jnp.arange(logits.shape[1])
    inside = frames < lengths[:, None]
    labels = argmax(logits, axis=2, keepdims=False)
    score = -jnp.sum(jnp.where(inside, jnp.max(logits, axis=2), 0), axis=1, keepdims=True)
    kept = inside & (labels != blank)
    if merge_repeated:
        kept = kept & starts(labels)
    return ahead(labels, kept, -1)[None], score


class _Beams(NamedTuple):
    """Beginnings that differ: their labels, followed by -1, and the logarithms of their probabilities."""

    labels: jax.Array
    lengths: jax.Array
    with_blank: jax.Array
    """Of those ways that end in a blank."""
    with_label: jax.Array

    def total(self) -> jax.Array:
        return jnp.logaddexp(self.with_blank, self.with_label)


def _searched(
    scores: jax.Array, length: jax.Array, width: int, top_paths: int, blank: int
) -> tuple[jax.Array, jax.Array]:
    """Return the best label sequences of (frames, classes) log probabilities, and their own."""
    frames, nothing = scores.shape[0], jnp.full(width, -jnp.inf, scores.dtype)
    first = _Beams(
        jnp.full((width, frames), -1, "int32"),
        jnp.zeros(width, "int32"),
        nothing.at[0].set(0),
        nothing,
    )

    def step(beams: _Beams, frame: tuple[jax.Array, jax.Array]) -> tuple[_Beams, None]:
        score, place = frame
        new = _advanced(beams, score, blank)
        keep = place < length
        return _Beams(*(jnp.where(keep, a, b) for a, b in zip(new, beams, strict=True))), None

    beams, _ = jax.lax.scan(step, first, (scores, jnp.arange(frames)))
    values, places = jax.lax.top_k(beams.total(), top_paths)
    return beams.labels[places], values


def _advanced(beams: _Beams, score: jax.Array, blank: int) -> _Beams:
    """Return the best beginnings after one more frame."""
    width, classes = beams.lengths.size, score.size
    places = jnp.arange(width)
    total, is_empty = beams.total(), beams.lengths == 0
    last = jnp.where(is_empty, blank, beams.labels[places, beams.lengths - 1])
    with_blank = total + score[blank]
    with_label = jnp.where(is_empty, -jnp.inf, beams.with_label + score[last])
    # One more label: behind an equal one only those ways count that end in a blank.
    longer = jnp.broadcast_to(total[:, None], (width, classes))
    longer = longer.at[places, last].set(beams.with_blank) + score
    longer = longer.at[:, blank].set(-jnp.inf)
    # Where that is a beginning of its own, add it there: parent[i, j] says that j is i and its last label.
    before = jnp.where(
        jnp.arange(beams.labels.shape[1]) == beams.lengths[:, None] - 1, -1, beams.labels
    )
    is_parent = jnp.all(beams.labels[:, None, :] == before[None, :, :], axis=2)
    is_parent = (
        is_parent & ~is_empty[None, :] & (beams.lengths[:, None] + 1 == beams.lengths[None, :])
    )
    parent, has_parent = jnp.argmax(is_parent, axis=0), jnp.any(is_parent, axis=0)
    with_label = jnp.where(has_parent, jnp.logaddexp(with_label, longer[parent, last]), with_label)
    longer = longer.at[jnp.where(has_parent, parent, width), last].set(-jnp.inf, mode="drop")
    # The best of those that stay and those that grow.
    every = jnp.concatenate([jnp.logaddexp(with_blank, with_label), longer.reshape(-1)])
    _, best = jax.lax.top_k(every, width)
    grows = best >= width
    source = jnp.where(grows, (best - width) // classes, best)
    label = (best - width) % classes
    count = beams.lengths[source]
    labels = beams.labels[source]
    grown = jnp.where(jnp.arange(labels.shape[1]) == count[:, None], label[:, None], labels)
    return _Beams(
        jnp.where(grows[:, None], grown, labels),
        count + grows,
        jnp.where(grows, -jnp.inf, with_blank[source]),
        jnp.where(grows, every[best], with_label[source]),
    )


@op(name="tf.nn.collapse_repeated", planned=False)
def collapsed(labels: TensorLike, seq_length: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Return labels without those that are equal to the one before, followed by 0, and how many are left."""
    found = array(labels)
    kept = starts(found) & (jnp.arange(found.shape[1]) < array(seq_length)[:, None])
    return ahead(found, kept, 0), jnp.sum(kept, axis=1, dtype="int32")


@op(name="keras.backend.ctc_batch_cost")
def cost_of_probabilities(
    y_true: TensorLike, y_pred: TensorLike, input_length: TensorLike, label_length: TensorLike
) -> jax.Array:
    """Return the loss of probabilities whose last class is the blank, inf for labels that don't fit into their frames."""
    labels, scores = array(y_true).astype("int32"), jnp.log(array(y_pred) + epsilon())
    frames = array(input_length).astype("int32").reshape(-1)
    count = array(label_length).astype("int32").reshape(-1)
    repeats = ~starts(labels) & (jnp.arange(labels.shape[1]) < count[:, None])
    fits = frames >= count + jnp.sum(repeats, axis=1)
    loss = ctc_loss.raw(labels, scores, count, frames, -1)
    return jnp.where(fits, loss, jnp.inf)[:, None]


@op(name="keras.backend.ctc_merged")
def merged(labels: TensorLike) -> jax.Array:
    """Return labels without those that are equal to the one before, followed by -1, in 64 bits."""
    found = array(labels)
    return ahead(found, starts(found), -1).astype("int64")
