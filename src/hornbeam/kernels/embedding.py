"""Looking rows up in a table.

Letters: n rows of the table, d their length, m rows that are looked up.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import fusion
from hornbeam.core.tensor import is_traced
from hornbeam.kernels import native


def take_rows(table: jax.Array, indices: jax.Array, dtype: Any = None) -> jax.Array:
    """table[indices] in `dtype` (None: the table's), where an index outside [0, n) gives NaN instead of some other row.

    table: (n, d), indices: integers (b, ...) -> (b, ..., d). Compiled code can't raise, and JAX's
    default of clamping would train silently on the wrong row; a NaN is seen. Tables of integers get
    the least value of their dtype.

    The gradient is `table_gradient`. Natively, on CPU, it may be differentiated again, and forward mode (`jax.jvp`)
    doesn't pass. It offers `rows`, (indices, dy): what is added at which row (see `hornbeam.core.fusion`). The rows
    that are taken offer their `numbers`, indices as int32, -1 for those of NaN: a layer behind may compute once what
    equal rows give.
    """
    dtype = np.dtype(dtype or table.dtype)
    if table.ndim != 2 or not native.suits(table):
        return take_rows_reference(table, indices).astype(dtype)
    # While a program is traced, nothing lies around it that would give the gradient another identity.
    taken: Any = (_take if is_traced(table) else _compiled)(dtype, table, indices)
    return fusion.offer(taken, numbers=partial(_int32, indices, table.shape[0]))


def take_rows_reference(table: jax.Array, indices: jax.Array) -> jax.Array:
    """The same in jax.numpy, differentiated by JAX."""
    # Negative indices would count from the end; moving them past the end makes them out of range.
    outside = jnp.where(indices < 0, table.shape[0], indices)
    return jnp.take(table, outside, axis=0, mode="fill")


def table_gradient(indices: jax.Array, dy: jax.Array, n: int) -> jax.Array:
    """The gradient of `take_rows`: (n, d) zeros, to which dy[i] is added at row indices[i].

    indices: integers (m,), dy: (m, d). Indices outside [0, n) are left out. Natively repeated rows are
    added in the order in which they come, in float32: the same bits each time.
    """
    indices = _int32(indices, n)
    if _is_native((n, dy.shape[1]), indices.size, dy):
        return _table_gradient(n)(indices, dy)
    return gradient_reference(n, indices, dy)


def _is_native(table: tuple[int, ...], m: int, array: jax.Array) -> bool:
    n, d = table
    return 0 not in (n, d, m) and _pays(n, d, m, array.dtype) and native.suits(array)


def _pays(n: int, d: int, m: int, dtype: Any) -> bool:
    """Whether the native gradient beats XLA's, by size.

    Measured on two AVX-512 cores. bfloat16 gains 2 to 12 times. float32 gains 1.2 to 2.2 times in tables of 5000 rows and
    more, is even in small ones (0.8 to 1.4), and loses where dy no longer stays in the cache: two threads, each skipping half
    of it, read it slower than one.
    """
    return dtype == "bfloat16" or m * d <= 2_000_000


def _int32(indices: jax.Array, n: int) -> jax.Array:
    """The same rows as int32; -1 where there is none."""
    return jnp.where((indices >= 0) & (indices < n), indices, -1).astype("int32")


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _take(dtype: np.dtype, table: jax.Array, indices: jax.Array) -> jax.Array:
    return take_rows_reference(table, indices).astype(dtype)


def _take_forward(dtype: np.dtype, table: jax.Array, indices: jax.Array) -> Any:
    return _take(dtype, table, indices), (indices, table.shape[0], table[:0])


def _take_backward(dtype: np.dtype, saved: Any, dy: jax.Array) -> Any:
    del dtype
    indices, n, nothing = saved
    indices, dy = _int32(indices.reshape(-1), n), dy.reshape(-1, dy.shape[-1])
    gradient = table_gradient(indices, dy.astype(nothing.dtype), n)
    return fusion.offer(gradient, rows=lambda: (indices, dy)), None


_take.defvjp(_take_forward, _take_backward)
_compiled = jax.jit(_take, static_argnums=0, inline=True)  # for eager calls


def _gradient_native(n: int, indices: jax.Array, dy: jax.Array) -> jax.Array:
    result = jax.ShapeDtypeStruct((n, dy.shape[1]), dy.dtype)
    return native.call("embedding_table_gradient", result, indices, dy)


def gradient_reference(n: int, indices: jax.Array, dy: jax.Array) -> jax.Array:
    """`table_gradient` in jax.numpy."""
    outside = jnp.where(indices < 0, n, indices)
    return jnp.zeros((n, dy.shape[1]), dy.dtype).at[outside].add(dy, mode="drop")


@lru_cache(maxsize=64)
def _table_gradient(n: int) -> Any:
    return native.kernel(partial(_gradient_native, n), partial(gradient_reference, n))
