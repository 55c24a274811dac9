"""Functions of one number that keep its type, and complex numbers."""

from __future__ import annotations

import builtins
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import kinks
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.recording import without_gradient
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops.common import array, complex_of, inexact

__all__ = [
    "angle",
    "clip",
    "conj",
    "conjugate",
    "copy",
    "imag",
    "nan_to_num",
    "polar",
    "real",
    "round",
    "sign",
    "signbit",
    "square",
    "trunc",
    "view",
    "view_as_complex",
    "view_as_real",
]


@op
def sign(x: TensorLike) -> jax.Array:
    """Return -1, 0 or 1."""
    return jnp.sign(array(x))


@op
def signbit(x: TensorLike) -> jax.Array:
    """Return whether the sign bit is set, -0.0 included."""
    return jnp.signbit(array(x))


@op
def square(x: TensorLike) -> jax.Array:
    """Return x * x"""
    x = array(x)
    return jnp.square(x.astype("int32") if x.dtype == bool else x)


@op
@without_gradient
def round(x: TensorLike, decimals: int = 0) -> jax.Array:
    """Round x to `decimals` places, halves to the even neighbour.

    >>> from hornbeam.keras import ops
    >>> print(ops.round([0.5, 1.5, 2.567], decimals=1).numpy())
    [0.5 1.5 2.6]
    """
    return jnp.round(array(x), decimals)


@op
@without_gradient
def trunc(x: TensorLike) -> jax.Array:
    """Round x towards 0: drop its fraction."""
    x = array(x)
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.floating) else x


@op
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> jax.Array:
    """Return min(max(x, x_min), x_max)

    >>> from hornbeam.keras import ops
    >>> print(ops.clip([-2, 0, 5], 0, 1).numpy())
    [0 0 1]
    """
    x = array(x)
    x = x.astype("int32") if x.dtype == bool else x
    return kinks.clip(x, _fitting(x_min, x.dtype), _fitting(x_max, x.dtype))


def _fitting(limit: TensorLike, dtype: Any) -> Any:
    """Return a limit that an integer type can hold: -2 is none for uint8, where it means 0."""
    if isinstance(limit, int) and jnp.issubdtype(dtype, jnp.integer):
        info = jnp.iinfo(dtype)
        return builtins.min(builtins.max(limit, int(info.min)), int(info.max))
    return limit if isinstance(limit, (int, float)) else array(limit)


@op
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> jax.Array:
    """Return x with NaN and the infinities replaced; None stands for the type's largest finite value."""
    return jnp.nan_to_num(array(x), nan=nan, posinf=posinf, neginf=neginf)


@op
def copy(x: TensorLike) -> jax.Array:
    """Return a copy of x."""
    return jnp.array(x, copy=True)


@op
def real(x: TensorLike) -> jax.Array:
    """Return the real part."""
    return jnp.real(array(x))


@op
def imag(x: TensorLike) -> jax.Array:
    """Return the imaginary part, 0 for real x."""
    return jnp.imag(array(x))


@op(name="conjugate")
def conj(x: TensorLike) -> jax.Array:
    """Return the complex conjugate, x itself where real."""
    return jnp.conj(array(x))


conjugate = conj


@op
def angle(x: TensorLike) -> jax.Array:
    """Return the angle of a complex number in radians; 0 or pi for real x."""
    return jnp.angle(inexact(x))


@op
def view_as_real(x: TensorLike) -> jax.Array:
    """Return complex (...) as (..., 2): real and imaginary part."""
    x = array(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


@op
def view_as_complex(x: TensorLike) -> jax.Array:
    """Return (..., 2), real and imaginary part, as complex (...)."""
    x = inexact(x)
    return complex_of(x[..., 0], x[..., 1])


@op
def polar(abs_: TensorLike, angle: TensorLike) -> jax.Array:
    """Return the complex number abs_ * (cos(angle) + i sin(angle)), angle in radians."""
    abs_, angle = inexact(abs_), inexact(angle)
    return complex_of(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op
def view(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the same bits read as another type; the last axis grows or shrinks with the width."""
    x = array(x)
    return x if dtype is None else x.view(canonical(dtype))
