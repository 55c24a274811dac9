"""What the bodies of ops share: turning arguments into arrays of the right type."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import canonical
from hornbeam.core.typing import Axis, DTypeLike, TensorLike


def array(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return `x` as a JAX array; Python numbers stay weakly typed, as in `x + 1`."""
    if dtype is None and isinstance(x, jax.Array):
        return x  # itself: what is known of a value is found by its identity
    return jnp.asarray(x, None if dtype is None else canonical(dtype))


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


def float_dtype(dtype: DTypeLike | None) -> np.dtype[Any]:
    """Return `dtype`, or the default float type for None."""
    return canonical(floatx() if dtype is None else dtype)


def as_axis(axis: Axis) -> int | tuple[int, ...] | None:
    """Return a list of axes as the tuple that jax.numpy wants."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)
