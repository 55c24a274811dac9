"""Weighted sums over the values of a batch, and over its samples."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import jit
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import joint_mask, per_value, weighted


def _weighted(
    values: TensorLike, sample_weight: TensorLike | None, masks: list[TensorLike], dtype: str
) -> tuple[jax.Array, jax.Array]:
    """Return values times their weights, and the weights, of one shape."""
    values = array(values, dtype)
    weights = jnp.ones((), dtype) if sample_weight is None else array(sample_weight, dtype)
    weights = per_value(weights, values, "sample_weight")
    joint = joint_mask(values, masks)
    if joint is not None:
        weights = jnp.where(joint, weights, 0)
    weights = jnp.broadcast_to(weights, values.shape)
    return weighted(values, weights), weights


@op
@jit(static_argnames="dtype")
def weighted_sum(
    values: TensorLike, sample_weight: TensorLike | None, masks: list[TensorLike], dtype: str
) -> jax.Array:
    """Return the sum of values times their weights."""
    return jnp.sum(_weighted(values, sample_weight, masks, dtype)[0])


@op
@jit(static_argnames="dtype")
def sample_totals(
    values: TensorLike, sample_weight: TensorLike | None, masks: list[TensorLike], dtype: str
) -> tuple[jax.Array, jax.Array]:
    """Return the sum over samples of their weighted means, and the sum of the mean weights that belongs to it.

    Unlike in Keras, a mask on `values` counts with and without weights. A sample counts once however many values (time steps, pixels) it has: values are averaged over all axes but the first.
    One weight for the whole batch weighs its mean, so the batch then counts once.
    """
    if sample_weight is not None and array(sample_weight).ndim == 0 and not masks:
        values = jnp.mean(array(values, dtype))
    values, weights = _weighted(values, sample_weight, masks, dtype)
    axes = tuple(range(1, values.ndim))
    return jnp.sum(jnp.mean(values, axis=axes)), jnp.sum(jnp.mean(weights, axis=axes))
