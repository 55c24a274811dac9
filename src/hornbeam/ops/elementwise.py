"""Functions of one number, applied to every element; integers and booleans become floats."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.recording import without_gradient
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import inexact

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "deg2rad",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "i0",
    "log",
    "log1p",
    "log2",
    "log10",
    "rad2deg",
    "reciprocal",
    "rsqrt",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


@op
def exp(x: TensorLike) -> jax.Array:
    """Return e^x"""
    return jnp.exp(inexact(x))


@op
def exp2(x: TensorLike) -> jax.Array:
    """Return 2^x"""
    return jnp.exp2(inexact(x))


@op
def expm1(x: TensorLike) -> jax.Array:
    """Return e^x - 1, exact for small x"""
    return jnp.expm1(inexact(x))


@op
def log(x: TensorLike) -> jax.Array:
    """Return the natural logarithm."""
    return jnp.log(inexact(x))


@op
def log10(x: TensorLike) -> jax.Array:
    """Return the logarithm to base 10."""
    return jnp.log10(inexact(x))


@op
def log1p(x: TensorLike) -> jax.Array:
    """Return log(1 + x), exact for small x"""
    return jnp.log1p(inexact(x))


@op
def log2(x: TensorLike) -> jax.Array:
    """Return the logarithm to base 2."""
    return jnp.log2(inexact(x))


@op
def sqrt(x: TensorLike) -> jax.Array:
    """Return the square root; NaN for x < 0."""
    return jnp.sqrt(inexact(x))


@op
def cbrt(x: TensorLike) -> jax.Array:
    """Return the cube root."""
    return jnp.cbrt(inexact(x))


@op
def reciprocal(x: TensorLike) -> jax.Array:
    """Return 1 / x"""
    return jnp.reciprocal(inexact(x))


@op
def sin(x: TensorLike) -> jax.Array:
    """Return sin(x), x in radians"""
    return jnp.sin(inexact(x))


@op
def cos(x: TensorLike) -> jax.Array:
    """Return cos(x), x in radians"""
    return jnp.cos(inexact(x))


@op
def tan(x: TensorLike) -> jax.Array:
    """Return tan(x), x in radians"""
    return jnp.tan(inexact(x))


@op
def sinh(x: TensorLike) -> jax.Array:
    """Return (e^x - e^-x) / 2"""
    return jnp.sinh(inexact(x))


@op
def cosh(x: TensorLike) -> jax.Array:
    """Return (e^x + e^-x) / 2"""
    return jnp.cosh(inexact(x))


@op
def tanh(x: TensorLike) -> jax.Array:
    """Return (e^x - e^-x) / (e^x + e^-x)"""
    return jnp.tanh(inexact(x))


@op
def arcsin(x: TensorLike) -> jax.Array:
    """Return the angle in radians whose sine is x; NaN outside [-1, 1]."""
    return jnp.arcsin(inexact(x))


@op
def arccos(x: TensorLike) -> jax.Array:
    """Return the angle in radians whose cosine is x; NaN outside [-1, 1]."""
    return jnp.arccos(inexact(x))


@op
def arctan(x: TensorLike) -> jax.Array:
    """Return the angle in radians whose tangent is x, in (-pi/2, pi/2)."""
    return jnp.arctan(inexact(x))


@op
def arcsinh(x: TensorLike) -> jax.Array:
    """Return the inverse of sinh."""
    return jnp.arcsinh(inexact(x))


@op
def arccosh(x: TensorLike) -> jax.Array:
    """Return the inverse of cosh; NaN for x < 1."""
    return jnp.arccosh(inexact(x))


@op
def arctanh(x: TensorLike) -> jax.Array:
    """Return the inverse of tanh; NaN outside [-1, 1]."""
    return jnp.arctanh(inexact(x))


@op
def sinc(x: TensorLike) -> jax.Array:
    """Return sin(pi x) / (pi x), 1 at 0"""
    return jnp.sinc(inexact(x))


@op
def i0(x: TensorLike) -> jax.Array:
    """Return the modified Bessel function of the first kind, order 0."""
    return jnp.i0(inexact(x))


@op
def deg2rad(x: TensorLike) -> jax.Array:
    """Return x pi / 180: degrees to radians"""
    return jnp.deg2rad(inexact(x))


@op
def rad2deg(x: TensorLike) -> jax.Array:
    """Return 180 x / pi: radians to degrees"""
    return jnp.rad2deg(inexact(x))


@op
@without_gradient
def floor(x: TensorLike) -> jax.Array:
    """Return the largest whole number <= x, as float."""
    return jnp.floor(inexact(x))


@op
@without_gradient
def ceil(x: TensorLike) -> jax.Array:
    """Return the smallest whole number >= x, as float."""
    return jnp.ceil(inexact(x))


@op
def fabs(x: TensorLike) -> jax.Array:
    """Return |x|, as float"""
    return jnp.fabs(inexact(x))


@op
def rsqrt(x: TensorLike) -> jax.Array:
    """Return 1 / sqrt(x)"""
    return jax.lax.rsqrt(inexact(x))


@op
def erf(x: TensorLike) -> jax.Array:
    """Return the error function, 2 / sqrt(pi) * the integral of e^(-t^2) from 0 to x."""
    return jax.lax.erf(inexact(x))


@op
def erfc(x: TensorLike) -> jax.Array:
    """Return 1 - erf(x), exact for large x."""
    return jax.lax.erfc(inexact(x))


@op
def erfinv(x: TensorLike) -> jax.Array:
    """Return the inverse of erf; NaN outside [-1, 1]."""
    return jax.lax.erf_inv(inexact(x))
