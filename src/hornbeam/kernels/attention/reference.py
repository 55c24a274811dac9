"""Attention in jax.numpy."""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp


def attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    mask: jax.Array | None,
    causal: bool,
    scale: float,
) -> jax.Array:
    """See `attention.attention`."""
    wide = jnp.promote_types(query.dtype, jnp.float32)
    logits = jnp.einsum("btnd,bsnd->bnts", query, key, preferred_element_type=wide) * scale
    if causal:
        triangle = jnp.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = triangle if mask is None else mask & triangle
    if mask is not None:
        # The least finite number, not -inf: a row with nothing allowed stays free of NaN.
        least = cast(Any, jnp.finfo(logits.dtype).min)
        logits = jnp.where(mask, logits, 0.7 * float(least))
    weights = jax.nn.softmax(logits, axis=-1).astype(value.dtype)
    return jnp.einsum("bnts,bsnd->btnd", weights, value)
