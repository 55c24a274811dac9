"""Counts of right and wrong decisions at given thresholds."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hornbeam.core.config import floatx
from hornbeam.core.jax_typed import jit
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import aligned, joint_mask, per_value, shape_error

# With `top_k` alone every chosen class counts as predicted, whatever its score: below any score there is.
BELOW_ALL = -1e10


class Counts(NamedTuple):
    """For each threshold, (thresholds,) or (thresholds, labels): the weight of samples decided so."""

    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any


@op
def confusion_counts(
    y_true: TensorLike,
    y_pred: TensorLike,
    thresholds: TensorLike,
    sample_weight: TensorLike | None = None,
    masks: list[TensorLike] | None = None,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: TensorLike | None = None,
    multi_label: bool = False,
) -> Counts:
    """Return the four counts for `y_pred > threshold` against truth that is 0 or not, at each threshold.

    y_true, y_pred: (b, ...) -> counts (thresholds,); with `multi_label` (b, labels) -> (thresholds, labels).
    Unlike in Keras, a mask leaves values out here as it does in every other metric.
    """
    y_true, y_pred = aligned("A metric of decisions", y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise shape_error("A metric of decisions", y_true, y_pred, "the same shape")
    weights = _weights(y_pred, sample_weight, masks or [], label_weights)
    truth = y_true.astype(bool)
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if not y_pred.ndim or not -y_pred.shape[-1] <= class_id < y_pred.shape[-1]:
            raise ValueError(
                f"class_id={class_id} is not a class of y_pred with shape {y_pred.shape}."
            )
        truth, y_pred = truth[..., class_id], y_pred[..., class_id]
        weights = weights[..., class_id]
    if not multi_label:
        truth, y_pred, weights = (x.reshape(-1, 1) for x in (truth, y_pred, weights))
    elif y_pred.ndim != 2:
        raise ValueError(f"With multi_label=True y_pred is (b, labels); received {y_pred.shape}.")
    counts = _count(truth, y_pred, weights, array(thresholds, y_pred.dtype))
    return counts if multi_label else Counts(*(c[:, 0] for c in counts))


def _weights(
    values: jax.Array,
    sample_weight: TensorLike | None,
    masks: list[TensorLike],
    label_weights: TensorLike | None,
) -> jax.Array:
    weights = jnp.ones(values.shape, floatx())
    if sample_weight is not None:
        weights = weights * per_value(array(sample_weight, floatx()), values, "sample_weight")
    mask = joint_mask(values, masks)
    if mask is not None:
        weights = jnp.where(mask, weights, 0)
    if label_weights is not None:
        weights = weights * array(label_weights, floatx())
    return weights


def _only_top_k(scores: jax.Array, k: int) -> jax.Array:
    _, places = jax.lax.top_k(scores, k)
    chosen = jnp.sum(jax.nn.one_hot(places, scores.shape[-1], axis=-1), axis=-2)
    return jnp.where(chosen > 0, scores, 2 * BELOW_ALL)


@jit()
def _count(
    truth: jax.Array, scores: jax.Array, weights: jax.Array, thresholds: jax.Array
) -> Counts:
    """Return counts (thresholds, labels) of (n, labels).

    Scores are put into the bins between the sorted thresholds; sums over bins are the counts of all thresholds at once, in
    n * log(thresholds) steps and without a table of n * thresholds.
    """
    order = jnp.argsort(thresholds)
    # A score's bin is the number of thresholds that it exceeds; NaN exceeds none.
    bins = jnp.where(jnp.isnan(scores), 0, jnp.searchsorted(thresholds[order], scores))
    labels = jnp.broadcast_to(jnp.arange(scores.shape[1]), scores.shape)
    empty = jnp.zeros((len(thresholds) + 1, scores.shape[1]), weights.dtype)
    positive = empty.at[bins, labels].add(jnp.where(truth, weights, 0))
    negative = empty.at[bins, labels].add(jnp.where(truth, 0, weights))

    def above(per_bin: jax.Array) -> jax.Array:
        return jnp.cumsum(per_bin[::-1], axis=0)[::-1][1:]

    def below(per_bin: jax.Array) -> jax.Array:
        return jnp.cumsum(per_bin, axis=0)[:-1]

    back = jnp.argsort(order)
    return Counts(
        above(positive)[back], above(negative)[back], below(negative)[back], below(positive)[back]
    )
