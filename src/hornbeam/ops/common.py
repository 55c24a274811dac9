"""What the bodies of ops share: turning arguments into arrays of the right type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import canonical
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.core.wide import INT32_LIMITS, NARROW, fits


def array(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return `x` as a JAX array; Python numbers stay weakly typed, as in `x + 1`."""
    if dtype is None and isinstance(x, jax.Array):
        return x  # itself: what is known of a value is found by its identity
    if dtype is None and isinstance(x, (list, tuple)) and _are_small(x):
        return jnp.asarray(x, "int32")  # in the 64-bit mode too
    return jnp.asarray(x, None if dtype is None else canonical(dtype))


def _are_small(values: Any) -> bool:
    """Return whether a nested list is one of Python's whole numbers which fit into 32 bits."""
    leaves = jax.tree.leaves(values)
    return bool(leaves) and all(type(each) is int and fits(each) for each in leaves)


def inexact(x: TensorLike) -> jax.Array:
    """Return `x` as a floating (or complex) array: integers and booleans become the default float type."""
    x = array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(canonical(floatx()))


def inexact_pair(x1: TensorLike, x2: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Return two floating arrays of their common type."""
    x1, x2 = array(x1), array(x2)
    common = jnp.result_type(x1, x2)
    if not jnp.issubdtype(common, jnp.inexact):
        common = canonical(floatx())
    return x1.astype(common), x2.astype(common)


def complex_of(real: TensorLike, imaginary: TensorLike) -> jax.Array:
    """Return real + i imaginary; there are no complex numbers of half precision."""
    real, imaginary = inexact_pair(real, imaginary)
    wide = jnp.promote_types(real.dtype, jnp.float32)
    return jax.lax.complex(real.astype(wide), imaginary.astype(wide))


def argmax(x: jax.Array, axis: int | None, keepdims: bool) -> jax.Array:
    """Return the place of the largest element, the first of equals, as an int32; a NaN is larger than any number."""
    return _place(x, jnp.argmax, jnp.max, axis, keepdims)


def argmin(x: jax.Array, axis: int | None, keepdims: bool) -> jax.Array:
    """Return the place of the smallest element, the first of equals, as an int32; a NaN is smaller than any number."""
    return _place(x, jnp.argmin, jnp.min, axis, keepdims)


def _place(
    x: jax.Array,
    place: Callable[..., jax.Array],
    reduction: Callable[..., jax.Array],
    axis: int | None,
    keepdims: bool,
) -> jax.Array:
    """Return `place` of x; inside of programs JAX's own takes no 64-bit values, and has no int32 in its 64-bit mode."""
    if x.dtype not in NARROW:
        with jax.enable_x64(False):
            return place(x, axis=axis, keepdims=keepdims)
    best = reduction(x, axis=axis, keepdims=True)
    found = (x == best) | (jnp.isnan(best) & jnp.isnan(x))
    with jax.enable_x64(False):
        return jnp.argmax(found, axis=axis, keepdims=keepdims)


def row_numbers(x: TensorLike) -> jax.Array:
    """Return indices, those of 64 bits as int32: one beyond that is the last number there, and not another row's."""
    x = array(x)
    if x.dtype not in NARROW or not jnp.issubdtype(x.dtype, jnp.integer):
        return x
    return jnp.clip(x, max(INT32_LIMITS[0], jnp.iinfo(x.dtype).min), INT32_LIMITS[1]).astype(
        "int32"
    )


def class_numbers(x: TensorLike) -> jax.Array:
    """Return numbers of classes, which may be floats, as `row_numbers`."""
    return row_numbers(x).astype("int32")


def indices(x: jax.Array) -> jax.Array:
    """Return indices as int32, which JAX makes of 64 bits in its 64-bit mode."""
    return x.astype("int32")


def float_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """Return `dtype`, or the default float type for None."""
    return canonical(floatx() if dtype is None else dtype)
