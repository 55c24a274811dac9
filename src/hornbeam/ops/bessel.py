"""Bessel functions of the orders 0 and 1: oscillating (J, Y), growing (I) and decaying (K)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.jax_typed import finfo
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops import bessel_tables as tables
from hornbeam.ops.common import inexact

_STEPS = 160  # of the trapezoidal rule for K: its error is below one in float32 for every x


@op(name="tf.math.bessel_i0e")
def bessel_i0e(x: TensorLike) -> jax.Array:
    """Return e^-|x| I0(x)"""
    return jax.scipy.special.i0e(inexact(x))


@op(name="tf.math.bessel_i1")
def bessel_i1(x: TensorLike) -> jax.Array:
    """Return the modified Bessel function of the first kind, order 1."""
    return jax.scipy.special.i1(inexact(x))


@op(name="tf.math.bessel_i1e")
def bessel_i1e(x: TensorLike) -> jax.Array:
    """Return e^-|x| I1(x)"""
    return jax.scipy.special.i1e(inexact(x))


@op(name="tf.math.special.bessel_j0")
def bessel_j0(x: TensorLike) -> jax.Array:
    """Return the Bessel function of the first kind, order 0."""
    x = jnp.abs(inexact(x))
    return jnp.where(x <= 8, _small(tables.J0, x), _large(0, x, jnp.cos, jnp.sin, -1))


@op(name="tf.math.special.bessel_j1")
def bessel_j1(x: TensorLike) -> jax.Array:
    """Return the Bessel function of the first kind, order 1."""
    x = inexact(x)
    large = jnp.sign(x) * _large(1, jnp.abs(x), jnp.cos, jnp.sin, -1)
    return jnp.where(jnp.abs(x) <= 8, x * _small(tables.J1_BY_X, x), large)


@op(name="tf.math.special.bessel_y0")
def bessel_y0(x: TensorLike) -> jax.Array:
    """Return the Bessel function of the second kind, order 0; NaN for x < 0, -inf at 0."""
    x = inexact(x)
    j0 = _small(tables.J0, x)
    small = _small(tables.Y0_REST, x) + 2 / np.pi * jnp.log(x) * j0
    return jnp.where(x <= 8, small, _large(0, x, jnp.sin, jnp.cos, 1))


@op(name="tf.math.special.bessel_y1")
def bessel_y1(x: TensorLike) -> jax.Array:
    """Return the Bessel function of the second kind, order 1; NaN for x < 0, -inf at 0."""
    x = inexact(x)
    j1 = x * _small(tables.J1_BY_X, x)
    rest = x * _small(tables.Y1_REST_BY_X, x)
    small = rest + 2 / np.pi * (jnp.log(x) * j1 - 1 / x)
    small = jnp.where(x == 0, -jnp.inf, small)
    return jnp.where(x <= 8, small, _large(1, x, jnp.sin, jnp.cos, 1))


def _small(coefficients: Sequence[float], x: jax.Array) -> jax.Array:
    """Return a polynomial in x^2, fitted for |x| <= 8."""
    return _chebyshev(coefficients, jnp.minimum(x * x, 64.0) / 32 - 1)


def _large(
    order: int,
    x: jax.Array,
    of_p: Callable[[jax.Array], jax.Array],
    of_q: Callable[[jax.Array], jax.Array],
    sign: int,
) -> jax.Array:
    """Return sqrt(2 / (pi x)) (P of_p(angle) + sign Q of_q(angle)) with angle = x - (order / 2 + 1 / 4) pi, for x > 8."""
    p, q = ((tables.P0, tables.Q0), (tables.P1, tables.Q1))[order]
    x = jnp.maximum(x, 8.0)
    inverse = 8 / x
    t = 2 * inverse * inverse - 1
    angle = x - (order / 2 + 1 / 4) * np.pi
    waves = _chebyshev(p, t) * of_p(angle) + sign * inverse * _chebyshev(q, t) * of_q(angle)
    return jnp.sqrt(2 / (np.pi * x)) * waves


def _chebyshev(coefficients: Sequence[float], t: jax.Array) -> jax.Array:
    """Return sum(coefficients[k] T_k(t)), by Clenshaw's recurrence."""
    before, last = jnp.zeros_like(t), jnp.zeros_like(t)
    for each in reversed(coefficients[1:]):
        before, last = last, each + 2 * t * last - before
    return coefficients[0] + t * last - before


@op(name="tf.math.special.bessel_k0")
def bessel_k0(x: TensorLike) -> jax.Array:
    """Return the modified Bessel function of the second kind, order 0; NaN for x < 0, inf at 0."""
    x = inexact(x)
    return jnp.exp(-x) * _decaying(x, 0)


@op(name="tf.math.special.bessel_k0e")
def bessel_k0e(x: TensorLike) -> jax.Array:
    """Return e^x K0(x)"""
    return _decaying(inexact(x), 0)


@op(name="tf.math.special.bessel_k1")
def bessel_k1(x: TensorLike) -> jax.Array:
    """Return the modified Bessel function of the second kind, order 1; NaN for x < 0, inf at 0."""
    x = inexact(x)
    return jnp.exp(-x) * _decaying(x, 1)


@op(name="tf.math.special.bessel_k1e")
def bessel_k1e(x: TensorLike) -> jax.Array:
    """Return e^x K1(x)"""
    return _decaying(inexact(x), 1)


def _decaying(x: jax.Array, order: int) -> jax.Array:
    """Return the integral of e^(x - x cosh t) cosh(order t) over t > 0.

    The integrand falls doubly exponentially, so the trapezoidal rule converges exponentially
    (Trefethen and Weideman 2014, SIAM Review 56).
    """
    safe = jnp.maximum(x, finfo(x.dtype).smallest_normal)
    end = jnp.arccosh(1 + 45 / safe)
    end = jnp.where(jnp.isfinite(end), end, jnp.log(90.0) - jnp.log(safe))
    step = end / _STEPS
    t = jnp.arange(_STEPS + 1, dtype=x.dtype) * step[..., None]
    # cosh t - 1, without the loss of digits near 0.
    values = jnp.exp(-safe[..., None] * 2 * jnp.sinh(t / 2) ** 2) * jnp.cosh(order * t)
    total = step * (jnp.sum(values, axis=-1) - values[..., 0] / 2 - values[..., -1] / 2)
    return jnp.where(x > 0, total, jnp.where(x == 0, jnp.inf, jnp.nan))
