"""Native attention with its gradient, and as references the same in jax.numpy.

Letters: b examples, t queries, s keys, n heads, d features of a query or key, e of a value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.kernels import native
from hornbeam.kernels.attention import reference
from hornbeam.kernels.transforms import custom_gradient, vjp


class _Saved(NamedTuple):
    """What the gradient needs."""

    q: jax.Array
    k: jax.Array
    v: jax.Array
    mask: jax.Array | None
    y: jax.Array
    stats: jax.Array


@custom_gradient(static=2)
def attention(
    causal: bool, scale: float, q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
) -> native.Arrays:
    """Return y, and what its gradient needs of each row."""
    return _forward_kernel(causal, scale)(q, k, v, mask)


def _attention_forward(
    causal: bool, scale: float, q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
) -> tuple[native.Arrays, _Saved]:
    y, stats = attention(causal, scale, q, k, v, mask)
    return (y, stats), _Saved(q, k, v, mask, y, stats)


def _attention_backward(
    causal: bool, scale: float, saved: _Saved, gradients: native.Arrays
) -> tuple[native.Operand, ...]:
    q, k, v, mask, y, stats = saved
    return *_backward_kernel(causal, scale)(q, k, v, y, stats, gradients[0], mask), None


attention.defvjp(_attention_forward, _attention_backward)


@lru_cache(maxsize=64)
def _forward_kernel(causal: bool, scale: float) -> Callable[..., native.Arrays]:
    options = {"causal": causal, "scale": np.float64(scale)}

    def call(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None) -> native.Arrays:
        b, t, n, _ = q.shape
        results = (
            jax.ShapeDtypeStruct((b, t, n, v.shape[-1]), q.dtype),
            jax.ShapeDtypeStruct((b, n, t, 2), jnp.float32),
        )
        return native.call("attention_forward", results, q, k, v, mask, **options)

    def by_definition(
        q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array | None
    ) -> native.Arrays:
        b, t, n, _ = q.shape  # the reference of the gradient doesn't read the rows' statistics
        y = reference.attention(q, k, v, mask, causal, scale)
        return y, jnp.zeros((b, n, t, 2), jnp.float32)

    return native.transformable(call, by_definition)


@lru_cache(maxsize=64)
def _backward_kernel(causal: bool, scale: float) -> Callable[..., native.Arrays]:
    options = {"causal": causal, "scale": np.float64(scale)}

    def call(
        q: jax.Array,
        k: jax.Array,
        v: jax.Array,
        y: jax.Array,
        stats: jax.Array,
        dy: jax.Array,
        mask: jax.Array | None,
    ) -> native.Arrays:
        results = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in (q, k, v))
        return native.call("attention_backward", results, q, k, v, y, stats, dy, mask, **options)

    def by_definition(
        q: jax.Array,
        k: jax.Array,
        v: jax.Array,
        _y: jax.Array,
        _stats: jax.Array,
        dy: jax.Array,
        mask: jax.Array | None,
    ) -> native.Arrays:
        # From q, k and v alone: the gradient of this gradient has to see that the others depend on them.
        def forward(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
            return reference.attention(q, k, v, mask, causal, scale)

        return vjp(forward, q, k, v)[1](dy)

    return native.transformable(call, by_definition)
