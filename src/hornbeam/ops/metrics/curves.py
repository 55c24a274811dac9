"""Areas under curves that a threshold draws as it moves from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import jit
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import ratio
from hornbeam.ops.metrics.confusion import Counts


@op
@jit(static_argnames=("curve", "summation_method"))
def area(counts: Sequence[TensorLike], curve: str, summation_method: str) -> jax.Array:
    """Return the area under a curve of the four counts, (thresholds, ...) -> (...)"""
    four = Counts(*map(array, counts))
    if curve == "PR" and summation_method == "interpolation":
        return _interpolated_pr(four)
    x, y = _points(four, curve)
    if summation_method == "minoring":
        heights = jnp.minimum(y[:-1], y[1:])
    elif summation_method == "majoring":
        heights = jnp.maximum(y[:-1], y[1:])
    else:
        heights = (y[:-1] + y[1:]) / 2
    return jnp.sum((x[:-1] - x[1:]) * heights, axis=0)


def _points(counts: Counts, curve: str) -> tuple[jax.Array, jax.Array]:
    tp, fp, tn, fn = counts
    recall = ratio.raw(tp, tp + fn)
    if curve == "ROC":
        return ratio.raw(fp, fp + tn), recall
    if curve == "PR":
        return recall, ratio.raw(tp, tp + fp)
    # Flach & Kull, Precision-Recall-Gain Curves, 2015: gain = 1 - errors / true positives * positives / negatives.
    odds = ratio.raw(tp + fn, fp + tn)
    recall_gain = jnp.where(tp > 0, 1 - odds * ratio.raw(fn, tp), 0)
    return jnp.maximum(recall_gain, 0), 1 - odds * ratio.raw(fp, tp)


def _interpolated_pr(counts: Counts) -> jax.Array:
    """Return the area by Davis & Goadrich, The Relationship Between Precision-Recall and ROC Curves, 2006.

    Between two thresholds true positives are taken to grow in line with all positives p, tp = slope * p + intercept.
    Precision tp / p is then no straight line, and its integral over recall has a logarithm.
    """
    tp, fp, _, fn = counts
    p = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = ratio.raw(gained, jnp.maximum(p[:-1] - p[1:], 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = jnp.where(both, ratio.raw(p[:-1], jnp.maximum(p[1:], 0)), 1)
    parts = ratio.raw(
        slope * (gained + intercept * jnp.log(growth)), jnp.maximum(tp[1:] + fn[1:], 0)
    )
    return jnp.sum(parts, axis=0)


@op
def mean_over_labels(values: TensorLike, weights: TensorLike | None) -> jax.Array:
    """Return the mean of one value for each label, weighted where weights are given."""
    values = array(values)
    if weights is None:
        return jnp.mean(values)
    weights = array(weights, values.dtype)
    return ratio.raw(jnp.sum(values * weights), jnp.sum(weights))


_SHARES = {
    "recall": (0, 3),
    "sensitivity": (0, 3),
    "precision": (0, 1),
    "specificity": (2, 1),
}  # of four counts, which one is divided by itself and which other one


@op
def best_under_constraint(
    counts: Sequence[TensorLike], wanted: str, kept: str, least: float
) -> jax.Array:
    """Return the largest `wanted` share among the thresholds at which `kept` is at least `least`, or 0.

    counts: four of (thresholds,) -> ()
    """
    four = [array(each) for each in counts]

    def share(name: str) -> jax.Array:
        right, wrong = _SHARES[name]
        return ratio.raw(four[right], four[right] + four[wrong])

    return jnp.max(jnp.where(share(kept) >= least, share(wanted), 0), initial=0)
