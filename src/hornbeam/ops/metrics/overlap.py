"""How often each class was taken for each other one, and how far truth and prediction overlap."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import epsilon
from hornbeam.core.dtypes import canonical
from hornbeam.core.jax_typed import diagonal
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import joint_mask, per_value, same_rank, shape_error


@op
def class_pairs(
    y_true: TensorLike,
    y_pred: TensorLike,
    classes: int,
    sample_weight: TensorLike | None = None,
    masks: list[TensorLike] | None = None,
    ignore_class: int | None = None,
    dtype: str = "int32",
) -> jax.Array:
    """Return the summed weights of each pair of true and predicted class, (classes, classes).

    y_true, y_pred: numbers of classes, (b, ...); pairs with a number that is no class, or `ignore_class`, are left out.
    """
    truth, found = same_rank(array(y_true).astype("int32"), array(y_pred).astype("int32"))
    if truth.shape != found.shape:
        raise shape_error("An IoU metric", truth, found, "the same shape")
    weights = jnp.ones(truth.shape, canonical(dtype))
    if sample_weight is not None:
        weights = weights * per_value(array(sample_weight, dtype), truth, "sample_weight")
    counts = (truth >= 0) & (truth < classes) & (found >= 0) & (found < classes)
    if ignore_class is not None:
        counts &= truth != ignore_class
    mask = joint_mask(truth, masks or [])
    counts = counts if mask is None else counts & mask
    empty = jnp.zeros((classes, classes), canonical(dtype))
    at = jnp.where(counts, truth, 0), jnp.where(counts, found, 0)
    return empty.at[at].add(jnp.where(counts, weights, 0))


@op
def mean_overlap(pairs: TensorLike, target_class_ids: Sequence[int]) -> jax.Array:
    """Return the mean over some classes of intersection / union; classes that nobody saw or predicted do not count.

    pairs: what `class_pairs` adds up, (classes, classes) -> a scalar.
    """
    table = array(pairs).astype("float32")
    both = diagonal(table)
    either = jnp.sum(table, axis=0) + jnp.sum(table, axis=1) - both
    chosen = np.asarray(target_class_ids)
    both, either = both[chosen], either[chosen]
    seen = either > 1e-9
    overlaps = jnp.where(seen, both / (either + epsilon()), 0.0)
    return jnp.sum(overlaps) / (jnp.sum(seen) + epsilon())
