"""Gamma and beta functions, incomplete ones, and the integrals that `tf.math.special` has."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.divisors import not_zero
from hornbeam.core.jax_typed import expi
from hornbeam.core.op import op
from hornbeam.core.recording import without_gradient
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, inexact, inexact_pair


@op(name="tf.math.igamma")
def igamma(a: TensorLike, x: TensorLike) -> jax.Array:
    """Return the lower incomplete gamma function, the integral of t^(a-1) e^-t from 0 to x over gamma(a)"""
    return jax.scipy.special.gammainc(*inexact_pair(a, x))


@op(name="tf.math.igammac")
def igammac(a: TensorLike, x: TensorLike) -> jax.Array:
    """Return the upper incomplete gamma function, 1 - igamma(a, x)"""
    return jax.scipy.special.gammaincc(*inexact_pair(a, x))


@op(name="tf.math.lbeta")
def lbeta(x: TensorLike) -> jax.Array:
    """Return sum(log |gamma(x)|) - log |gamma(sum(x))| over the last axis: log |beta| for two numbers."""
    x = inexact(x)
    return jnp.sum(jax.scipy.special.gammaln(x), axis=-1) - jax.scipy.special.gammaln(
        jnp.sum(x, axis=-1)
    )


@op(name="tf.math.betainc")
def betainc(a: TensorLike, b: TensorLike, x: TensorLike) -> jax.Array:
    """Return the integral of t^(a-1) (1-t)^(b-1) from 0 to x over that from 0 to 1"""
    return jax.scipy.special.betainc(inexact(a), inexact(b), inexact(x))


@op(name="tf.math.polygamma")
def polygamma(a: TensorLike, x: TensorLike) -> jax.Array:
    """Return the derivative of order `a` of the function digamma, for whole a >= 0."""
    return jax.scipy.special.polygamma(array(a).astype("int32"), inexact(x))


@op(name="tf.math.zeta")
def zeta(x: TensorLike, q: TensorLike) -> jax.Array:
    """Return the sum of (n + q)^-x over n = 0, 1, 2, ..."""
    return jax.scipy.special.zeta(*inexact_pair(x, q))


@op(name="tf.math.ndtri")
def ndtri(x: TensorLike) -> jax.Array:
    """Return the number that a standard normal variable stays below with probability x."""
    return jax.scipy.special.ndtri(inexact(x))


@op(name="tf.math.erfcinv")
def erfcinv(x: TensorLike) -> jax.Array:
    """Return the inverse of erfc"""
    x = inexact(x)
    # By the normal distribution's quantile, exact for small x, where erfinv(1 - x) has no digits left.
    return -jax.scipy.special.ndtri(x / 2) * jnp.asarray(0.5, x.dtype) ** 0.5


@op(name="tf.math.special.dawsn")
def dawsn(x: TensorLike) -> jax.Array:
    """Return e^(-x^2) times the integral of e^(t^2) from 0 to x"""
    x = inexact(x)
    return jax.scipy.special.dawsn(x)


@op(name="tf.math.special.expint")
def expint(x: TensorLike) -> jax.Array:
    """Return the integral of e^t / t from -inf to x"""
    return expi(inexact(x))


@op(name="tf.math.special.fresnel_cos")
def fresnel_cos(x: TensorLike) -> jax.Array:
    """Return the integral of cos(pi t^2 / 2) from 0 to x"""
    return jax.scipy.special.fresnel(inexact(x))[1]


@op(name="tf.math.special.fresnel_sin")
def fresnel_sin(x: TensorLike) -> jax.Array:
    """Return the integral of sin(pi t^2 / 2) from 0 to x"""
    return jax.scipy.special.fresnel(inexact(x))[0]


@op(name="tf.math.special.spence")
def spence(x: TensorLike) -> jax.Array:
    """Return the integral of log(t) / (1 - t) from 1 to x"""
    return jax.scipy.special.spence(inexact(x))


@op(name="tf.math.truncatediv", prepare=not_zero)
@without_gradient
def truncate_divide(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x / y without its fraction: rounded towards 0"""
    x, y = array(x), array(y)
    kind = jnp.result_type(x, y)
    if jnp.issubdtype(kind, jnp.integer):
        return jax.lax.div(*jnp.broadcast_arrays(x.astype(kind), y.astype(kind)))
    return jnp.trunc(x / y)


@op(name="tf.math.truncatemod", prepare=not_zero)
def truncate_remainder(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return the remainder of `truncate_divide`, with the sign of x"""
    return jnp.fmod(array(x), array(y))
