"""What the bodies of ops share: turning arguments into arrays of the right type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import canonical

# A tensor, variable, symbolic tensor, JAX or NumPy array, number, or nested list of those. Inside
# the body of an op: the same without Hornbeam's own classes.
TensorLike: TypeAlias = Any
DTypeLike: TypeAlias = Any
Axis: TypeAlias = int | Sequence[int] | None


def array(x: TensorLike, dtype: DTypeLike = None) -> jax.Array:
    """`x` as a JAX array; Python numbers stay weakly typed, as in `x + 1`."""
    if dtype is None and isinstance(x, jax.Array):
        return x  # itself: what is known of a value is found by its identity
    return jnp.asarray(x, None if dtype is None else canonical(dtype))


def inexact(x: TensorLike) -> jax.Array:
    """`x` as floating (or complex) array: integers and booleans become the default float type."""
    x = array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(canonical(floatx()))


def inexact_pair(x1: TensorLike, x2: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Two floating arrays of their common type."""
    x1, x2 = array(x1), array(x2)
    common = jnp.result_type(x1, x2)
    if not jnp.issubdtype(common, jnp.inexact):
        common = canonical(floatx())
    return x1.astype(common), x2.astype(common)


def complex_of(real: TensorLike, imaginary: TensorLike) -> jax.Array:
    """real + i imaginary; there are no complex numbers of half precision."""
    real, imaginary = inexact_pair(real, imaginary)
    wide = jnp.promote_types(real.dtype, jnp.float32)
    return jax.lax.complex(real.astype(wide), imaginary.astype(wide))


def float_dtype(dtype: DTypeLike) -> np.dtype:
    """`dtype`, or the default float type for None."""
    return canonical(floatx() if dtype is None else dtype)


def as_axis(axis: Axis) -> int | tuple[int, ...] | None:
    """A list of axes as the tuple that jax.numpy wants."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)
