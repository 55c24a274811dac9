"""Native attention with its gradient, and as references the same in jax.numpy.

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
from hornbeam.kernels.attention import reference


def attention(causal: bool, scale: float, *arrays: Any) -> tuple[jax.Array, jax.Array]:
    """Return y, and what its gradient needs of each row; arrays: query, key, value, mask or None."""
    found: Any = _attention(causal, scale, *arrays)
    return found


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _attention(causal: bool, scale: float, q: Any, k: Any, v: Any, mask: Any) -> Any:
    """y, and what its gradient needs of each row"""
    return _forward_kernel(causal, scale)(q, k, v, mask)


def _attention_forward(causal: bool, scale: float, *arrays: Any) -> Any:
    y, stats = attention(causal, scale, *arrays)
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

    def by_definition(q: jax.Array, k: jax.Array, v: jax.Array, mask: Any) -> Any:
        b, t, n, _ = q.shape  # the reference of the gradient doesn't read the rows' statistics
        y = reference.attention(q, k, v, mask, causal, scale)
        return y, jnp.zeros((b, n, t, 2), jnp.float32)

    return native.transformable(call, by_definition)


@lru_cache(maxsize=64)
def _backward_kernel(causal: bool, scale: float) -> Callable[..., Any]:
    options = {"causal": causal, "scale": np.float64(scale)}

    def call(q: Any, k: Any, v: Any, y: Any, stats: Any, dy: jax.Array, mask: Any) -> Any:
        results = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (q, k, v))
        return tuple(
            native.call("attention_backward", results, q, k, v, y, stats, dy, mask, **options)
        )

    def by_definition(
        q: Any, k: Any, v: Any, _y: Any, _stats: Any, dy: jax.Array, mask: Any
    ) -> Any:
        # From q, k and v alone: the gradient of this gradient has to see that the others depend on them.
        def forward(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
            return reference.attention(q, k, v, mask, causal, scale)

        return jax.vjp(forward, q, k, v)[1](dy)

    return native.transformable(call, by_definition)
