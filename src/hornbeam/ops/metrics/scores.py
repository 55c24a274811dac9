"""Parts of the F-scores and of the coefficient of determination."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import joint_mask, per_value, same_rank, shape_error, weighted


def _table(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None,
    masks: list[TensorLike],
    dtype: str,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return truth, predictions and weights, all (b, d)."""
    truth, found = same_rank(array(y_true, dtype), array(y_pred, dtype))
    if truth.ndim != 2 or truth.shape != found.shape:
        raise shape_error(name, truth, found, "the same shape, (b, d)")
    weights = jnp.ones((), dtype) if sample_weight is None else array(sample_weight, dtype)
    weights = per_value(weights, found, "sample_weight")
    mask = joint_mask(found, masks)
    weights = weights if mask is None else jnp.where(mask, weights, 0)
    return truth, found, jnp.broadcast_to(weights, found.shape)


@op
def hit_counts(
    y_true: TensorLike,
    y_pred: TensorLike,
    threshold: float | None,
    sample_weight: TensorLike | None = None,
    masks: list[TensorLike] | None = None,
    per_class: bool = True,
    dtype: str = "float32",
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Return the weights of hits, of false hits, of misses and of all that is true, for each class or in all.

    y_true, y_pred: (b, classes) -> (classes,) or (). Without a threshold the class with the highest score is a hit.
    """
    truth, found, weights = _table("An F-score", y_true, y_pred, sample_weight, masks or [], dtype)
    if threshold is None:
        is_hit = (found >= jnp.max(found, axis=-1, keepdims=True)) & (jnp.abs(found) > 1e-9)
    else:
        is_hit = found > threshold
    hit = is_hit.astype(truth.dtype)
    parts = (hit * truth, hit * (1 - truth), (1 - hit) * truth, truth)
    axis = 0 if per_class else None
    found_sums = [jnp.sum(weighted(part, weights), axis=axis) for part in parts]
    return found_sums[0], found_sums[1], found_sums[2], found_sums[3]


@op
def f_score(counts: Sequence[TensorLike], beta: float, average: str | None) -> jax.Array:
    """Return (1 + beta^2) * precision * recall / (beta^2 * precision + recall), averaged over classes as asked.

    counts: the four of `hit_counts`, (classes,) or () -> (), and (classes,) without an average.
    """
    right, wrong, missed, total = map(array, counts)
    precision = right / (right + wrong + epsilon())
    recall = right / (right + missed + epsilon())
    score = (1 + beta**2) * precision * recall / (beta**2 * precision + recall + epsilon())
    if average == "weighted":
        return jnp.sum(score * total / (jnp.sum(total) + epsilon()))
    return score if average is None else jnp.mean(score)


@op
def square_sums(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None = None,
    masks: list[TensorLike] | None = None,
    dtype: str = "float32",
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Return, for each column, the weighted sums of y^2, of y, of the squared errors, and of the weights.

    y_true, y_pred: (b, d) -> (d,)
    """
    truth, found, weights = _table("R2Score", y_true, y_pred, sample_weight, masks or [], dtype)
    squares, plain, errors = (
        jnp.sum(weighted(each, weights), axis=0)
        for each in (truth * truth, truth, jnp.square(truth - found))
    )
    return squares, plain, errors, jnp.sum(weights, axis=0)


@op
def determination(
    sums: Sequence[TensorLike],
    samples: TensorLike,
    aggregation: str | None,
    regressors: int,
) -> jax.Array:
    """Return 1 - squared errors / variance, adjusted for the number of regressors where there are samples enough.

    sums: the four of `square_sums`, (d,) -> (), and (d,) without an aggregation. A column without variance has 0.
    """
    squares, plain, errors, count = map(array, sums)
    spread = squares - plain * plain / count
    scores = 1 - errors / spread
    scores = jnp.where(jnp.isinf(scores), 0, scores)
    if aggregation == "uniform_average":
        scores = jnp.mean(scores)
    elif aggregation is not None:
        scores = jnp.sum(spread * scores) / jnp.sum(spread)
    if not regressors:
        return scores
    known = array(samples).astype(scores.dtype)
    free = known - regressors - 1
    adjusted = 1 - (1 - scores) * (known - 1) / jnp.where(free > 0, free, 1)
    return jnp.where(free > 0, adjusted, scores)
