"""Attention: values averaged by how well queries fit keys."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import einsum, finfo
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import attention
from hornbeam.ops.common import array, inexact

__all__ = [
    "dot_product_attention",
]


@op
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> jax.Array:
    """Return softmax(query key^T * scale + bias) value (Vaswani et al. 2017, arXiv:1706.03762)

    query: (b, t, n, d), key and value: (b, s, m, d) with n heads a multiple of m; bias and mask:
    broadcast to (b, n, t, s), the mask true where attention may go -> (b, t, n, d). `scale` None is
    1 / sqrt(d). The softmax is computed in float32 at least. `flash_attention=True` asks for the fused cuDNN
    kernel, which raises where it can't run.
    """
    query, key, value = inexact(query), inexact(key), inexact(value)
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ValueError(
            "`dot_product_attention` takes query, key and value of 4 axes (batch, time, heads, "
            f"features); received shapes {query.shape}, {key.shape}, {value.shape}."
        )
    bias = None if bias is None else array(bias)
    allowed = None if mask is None else array(mask).astype(bool)
    _check_attention(query, key, value, bias=bias, mask=allowed)
    if flash_attention:
        if attn_logits_soft_cap is not None:
            raise ValueError(
                "`flash_attention=True` can't be combined with `attn_logits_soft_cap`."
            )
        return jax.nn.dot_product_attention(
            query,
            key,
            value,
            bias=bias,
            mask=allowed,
            scale=scale,
            is_causal=is_causal,
            implementation="cudnn",
        )
    groups = query.shape[2] // key.shape[2]
    if groups > 1:  # grouped queries: several heads share a key
        key, value = jnp.repeat(key, groups, axis=2), jnp.repeat(value, groups, axis=2)
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    if bias is None and attn_logits_soft_cap is None:
        return attention.attention(query, key, value, allowed, is_causal, scale)
    wide = jnp.promote_types(query.dtype, jnp.float32)
    logits = einsum("btnd,bsnd->bnts", query, key, preferred_element_type=wide) * scale
    if bias is not None:
        logits = logits + bias
    if attn_logits_soft_cap is not None:
        logits = attn_logits_soft_cap * jnp.tanh(logits / attn_logits_soft_cap)
    if is_causal:
        causal = jnp.tri(query.shape[1], key.shape[1], dtype=bool)
        allowed = causal if allowed is None else allowed & causal
    if allowed is not None:
        # The least finite number, not -inf: a row with nothing allowed stays free of NaN.
        logits = jnp.where(allowed, logits, 0.7 * float(finfo(logits.dtype).min))
    weights = jax.nn.softmax(logits, axis=-1).astype(value.dtype)
    return einsum("bnts,bsnd->btnd", weights, value)


def _check_attention(
    query: jax.Array, key: jax.Array, value: jax.Array, **pairs: jax.Array | None
) -> None:
    """Raise ValueError where sizes of 4 axes don't fit; `pairs`: what has a number for a query and a key."""
    (b, t, n, d), (_, s, m, _) = query.shape, key.shape
    fits = key.shape == (b, s, m, d) and value.shape[:3] == (b, s, m)
    if not fits or n == 0 or m == 0 or n % m:
        raise ValueError(
            "`dot_product_attention` takes query (b, t, n, d), key (b, s, m, d) and value (b, s, m, e) with n a multiple "
            f"of m, both at least 1; received query {query.shape}, key {key.shape}, value {value.shape}."
        )
    for name, array_of_pairs in pairs.items():
        shape = () if array_of_pairs is None else array_of_pairs.shape
        sizes = zip(reversed(shape), (s, t, n, b), strict=False)
        if len(shape) > 4 or any(size not in (1, whole) for size, whole in sizes):
            raise ValueError(
                f"The `{name}` of `dot_product_attention` broadcasts to (batch, heads, time of queries, time of keys), "
                f"here {(b, n, t, s)}; received shape {shape}."
            )
