"""Attention.

Letters: b examples, t queries, s keys, n heads, d features of a query or key, e of a value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.kernels import native

MIN_MULTIPLICATIONS = 500_000


def attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    mask: jax.Array | None = None,
    causal: bool = False,
    scale: float = 1.0,
) -> jax.Array:
    """softmax(query key^T * scale) value

    query: (b, t, n, d), key: (b, s, n, d), value: (b, s, n, e), mask: booleans that broadcast to (b, n, t, s), true where
    a query may look -> (b, t, n, e). `causal`: query i looks at keys 0 to i. A query that may look nowhere takes the mean.
    """
    if not _is_native(query, key, value, mask, scale):
        return attention_reference(query, key, value, mask, causal, scale)
    if mask is not None:
        mask = mask.reshape(*[1] * (4 - mask.ndim), *mask.shape)
    y, _ = _with_statistics(bool(causal), float(scale), query, key, value, mask)
    return y


def attention_reference(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    mask: jax.Array | None,
    causal: bool,
    scale: float,
) -> jax.Array:
    """The same in jax.numpy."""
    logits = jnp.einsum("btnd,bsnd->bnts", query, key, preferred_element_type=jnp.float32) * scale
    if causal:
        triangle = jnp.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = triangle if mask is None else mask & triangle
    if mask is not None:
        # The least finite number, not -inf: a row with nothing allowed stays free of NaN.
        logits = jnp.where(mask, logits, 0.7 * float(jnp.finfo(logits.dtype).min))
    weights = jax.nn.softmax(logits, axis=-1).astype(value.dtype)
    return jnp.einsum("bnts,bsnd->btnd", weights, value)


def _is_native(query: jax.Array, key: jax.Array, value: jax.Array, mask: Any, scale: Any) -> bool:
    if {query.ndim, key.ndim, value.ndim} != {4} or not isinstance(scale, (int, float)):
        return False
    (b, t, n, d), s, e = query.shape, key.shape[1], value.shape[3]
    if key.shape != (b, s, n, d) or value.shape != (b, s, n, e) or b * t * n * d * s * e == 0:
        return False
    if mask is not None and (mask.ndim > 4 or mask.dtype != bool):
        return False
    return pays(b * n * t * s * (d + e) // 2) and native.suits(query, key, value)


def pays(multiplications: int) -> bool:
    """Whether the native kernel beats XLA, by the size of the product of queries and keys.

    Measured on two AVX-512 cores, b 16, t and s 128, n 8, d 32: value and gradients take 0.8 and 2.7 ms in float32, 0.6
    and 2.1 in bfloat16, XLA's 4.6 and 7.4, 1.5 and 8.5.
    """
    return multiplications >= MIN_MULTIPLICATIONS


def _with_statistics(*args: Any) -> tuple[jax.Array, Any]:
    found: Any = _attention(*args)
    return found


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _attention(causal: bool, scale: float, q: Any, k: Any, v: Any, mask: Any) -> Any:
    """y, and what its gradient needs of each row"""
    return _forward_kernel(causal, scale)(q, k, v, mask)


def _attention_forward(causal: bool, scale: float, *arrays: Any) -> Any:
    y, stats = _with_statistics(causal, scale, *arrays)
    return (y, stats), (*arrays, y, stats)


def _attention_backward(causal: bool, scale: float, saved: Any, gradients: Any) -> Any:
    q, k, v, mask, y, stats = saved
    return *_backward_kernel(causal, scale)(q, k, v, y, stats, gradients[0], mask), None


_attention.defvjp(_attention_forward, _attention_backward)


@lru_cache(maxsize=64)
def _forward_kernel(causal: bool, scale: float) -> Callable[..., Any]:
    options = {"causal": causal, "scale": np.float64(scale)}

    def call(q: jax.Array, k: jax.Array, v: jax.Array, mask: Any) -> Any:
        b, t, n, _ = q.shape
        results = (
            jax.ShapeDtypeStruct((b, t, n, v.shape[-1]), q.dtype),
            jax.ShapeDtypeStruct((b, n, t, 2), jnp.float32),
        )
        return tuple(native.call("attention_forward", results, q, k, v, mask, **options))

    def reference(q: jax.Array, k: jax.Array, v: jax.Array, mask: Any) -> Any:
        b, t, n, _ = q.shape  # the reference of the gradient doesn't read the rows' statistics
        y = attention_reference(q, k, v, mask, causal, scale)
        return y, jnp.zeros((b, n, t, 2), jnp.float32)

    return native.kernel(call, reference)


@lru_cache(maxsize=64)
def _backward_kernel(causal: bool, scale: float) -> Callable[..., Any]:
    options = {"causal": causal, "scale": np.float64(scale)}

    def call(q: Any, k: Any, v: Any, y: Any, stats: Any, dy: jax.Array, mask: Any) -> Any:
        results = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (q, k, v))
        return tuple(
            native.call("attention_backward", results, q, k, v, y, stats, dy, mask, **options)
        )

    def reference(q: Any, k: Any, v: Any, _y: Any, _stats: Any, dy: jax.Array, mask: Any) -> Any:
        # From q, k and v alone: the gradient of this gradient has to see that the others depend on them.
        def forward(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
            return attention_reference(q, k, v, mask, causal, scale)

        return jax.vjp(forward, q, k, v)[1](dy)

    return native.kernel(call, reference)
