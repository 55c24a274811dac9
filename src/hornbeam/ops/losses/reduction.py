"""From the values of a loss to one number."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import jit
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array
from hornbeam.ops.losses.common import joint_mask, per_value, ratio, weighted


@op(name="reduce_loss")
@jit(static_argnames=("reduction", "dtype"))
def reduce(
    values: TensorLike,
    sample_weight: TensorLike | None,
    masks: list[TensorLike],
    reduction: str | None,
    dtype: str,
) -> jax.Array:
    """Weight, mask and reduce the values of a loss."""
    values = array(values, dtype)
    # Half precision ends at 65504, or counts no further than 256: sums are kept in float32.
    wide = jnp.promote_types(values.dtype, "float32")
    mask = joint_mask(values, masks)
    weights = None
    if sample_weight is not None:
        weights = array(sample_weight, dtype)
        if values.ndim:  # a loss that is one number for the whole batch takes weights of any shape
            weights = per_value(weights, values, "sample_weight")
    if mask is not None:
        weights = jnp.where(mask, 1 if weights is None else weights, 0).astype(values.dtype)
    if weights is not None:
        values = weighted(values, weights)
    if reduction in (None, "none"):
        return values
    total = jnp.sum(values, dtype=wide)
    if reduction == "sum":
        return total.astype(values.dtype)
    if reduction == "mean_with_sample_weight" and weights is not None:
        # As in Keras, the weights are summed as they were given: (b, 1) for (b, t) values counts each sample once.
        count = jnp.sum(weights, dtype=wide)
    elif mask is not None:
        count = jnp.sum(jnp.broadcast_to(mask, values.shape), dtype=wide)
    else:
        count = jnp.asarray(values.size, wide)
    return ratio.raw(total, count).astype(values.dtype)
