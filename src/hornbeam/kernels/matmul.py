"""Products of matrices, alone or in batches.

Letters: z pairs of matrices (all leading axes together), m rows, k that are summed over, n columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.kernels import dense, native

MIN_SIZE = 8
MIN_MULTIPLICATIONS = 500_000


def matmul(
    a: jax.Array, b: jax.Array, transpose_a: bool = False, transpose_b: bool = False
) -> jax.Array:
    """a @ b on the last two axes, of which either's may be swapped first; leading axes broadcast, as in jax.numpy.

    a: (..., m, k), or (..., k, m) where it is transposed, b: (..., k, n), or (..., n, k) -> (..., m, n)

    Large products of floats are native on CPU. There the gradient is a custom one: `jax.grad` may be taken of it again,
    forward mode (`jax.jvp`) not.
    """
    if _is_native(a, b, transpose_a, transpose_b):
        pairs = (x.reshape(-1, *x.shape[-2:]) for x in (a, b))
        y = _compiled(transpose_a, transpose_b, *pairs)
        return y.reshape(*a.shape[:-2], *y.shape[1:])
    if b.ndim == 2 and a.ndim >= 2 and a.dtype == b.dtype and not transpose_a and not transpose_b:
        return dense.affine(a, b)
    return matmul_reference(transpose_a, transpose_b, a, b)


def matmul_reference(transpose_a: bool, transpose_b: bool, a: jax.Array, b: jax.Array) -> jax.Array:
    """The same in jax.numpy."""
    a = jnp.swapaxes(a, -1, -2) if transpose_a else a
    b = jnp.swapaxes(b, -1, -2) if transpose_b else b
    return jnp.matmul(a, b)


def _is_native(a: jax.Array, b: jax.Array, transpose_a: bool, transpose_b: bool) -> bool:
    """Whether these are batches that pair up, and the native product is faster."""
    if a.ndim < 3 or a.shape[:-2] != b.shape[:-2] or a.dtype != b.dtype:
        return False
    m, k = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    n, summed = b.shape[-2:] if transpose_b else b.shape[:-3:-1]
    return k == summed and pays(math.prod(a.shape[:-2]), m, k, n) and native.suits(a, b)


def pays(pairs: int, m: int, k: int, n: int) -> bool:
    """Whether the native product beats XLA's, by size."""
    return min(m, k, n) >= MIN_SIZE and pairs * m * k * n >= MIN_MULTIPLICATIONS


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _product(transpose_a: bool, transpose_b: bool, a: jax.Array, b: jax.Array) -> jax.Array:
    """a: (z, m, k) or (z, k, m), b: (z, k, n) or (z, n, k) -> (z, m, n)"""
    return _kernel(transpose_a, transpose_b)(a, b)


def _forward(transpose_a: bool, transpose_b: bool, a: jax.Array, b: jax.Array) -> Any:
    return _product(transpose_a, transpose_b, a, b), (a, b)


def _backward(transpose_a: bool, transpose_b: bool, saved: Any, dc: jax.Array) -> Any:
    a, b = saved
    da = (
        _product(transpose_b, True, b, dc)
        if transpose_a
        else _product(False, not transpose_b, dc, b)
    )
    db = (
        _product(True, transpose_a, dc, a)
        if transpose_b
        else _product(not transpose_a, False, a, dc)
    )
    return da, db


_product.defvjp(_forward, _backward)
_compiled = jax.jit(_product, static_argnums=(0, 1), inline=True)  # for eager calls


@lru_cache(maxsize=4)
def _kernel(transpose_a: bool, transpose_b: bool) -> Callable[..., Any]:
    options = {"a_transposed": transpose_a, "b_transposed": transpose_b}

    def call(a: jax.Array, b: jax.Array) -> Any:
        shape = a.shape[0], a.shape[2 if transpose_a else 1], b.shape[1 if transpose_b else 2]
        return native.call("batched_matmul", jax.ShapeDtypeStruct(shape, a.dtype), a, b, **options)

    return native.kernel(call, partial(matmul_reference, transpose_a, transpose_b), _fold_pairs)


def _fold_pairs(f: Any, size: int, batched: Sequence[bool], *args: jax.Array) -> jax.Array:
    """Under vmap many batches are one larger batch."""
    each = (
        a if flag else jnp.broadcast_to(a, (size, *a.shape))
        for a, flag in zip(args, batched, strict=True)
    )
    y = f(*(a.reshape(-1, *a.shape[2:]) for a in each))
    return y.reshape(size, y.shape[0] // max(size, 1), *y.shape[1:])
