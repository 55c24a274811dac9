"""Functions of two numbers, applied to elements that broadcast against each other.

The operators' own (`add`, `multiply`, ...) are in `hornbeam.core.arithmetic`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core import kinks
from hornbeam.core.arithmetic import divide
from hornbeam.core.kinks import Pair
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, inexact, inexact_pair

__all__ = [
    "arctan2",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_right_shift",
    "divide_no_nan",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "hypot",
    "lcm",
    "ldexp",
    "left_shift",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "nextafter",
    "right_shift",
    "true_divide",
]


@op
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return x1 / x2, and 0 where x2 is 0.

    >>> from hornbeam.keras import ops
    >>> print(ops.divide_no_nan([1.0, 1.0], [2.0, 0.0]).numpy())
    [0.5 0. ]
    """
    x1, x2 = inexact_pair(x1, x2)
    # The inner `where` keeps the untaken division out of the gradient, where 0 * inf is NaN.
    return jnp.where(x2 == 0, 0, x1 / jnp.where(x2 == 0, 1, x2))


@op
def maximum(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the larger of x1 and x2; NaN if either is NaN."""
    return kinks.maximum(array(x1), array(x2))


@op
def minimum(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the smaller of x1 and x2; NaN if either is NaN."""
    return kinks.minimum(array(x1), array(x2))


@op
def fmax(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the larger of x1 and x2; a NaN loses against a number."""
    return jnp.fmax(array(x1), array(x2))


@op
def fmin(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the smaller of x1 and x2; a NaN loses against a number."""
    return jnp.fmin(array(x1), array(x2))


@op
def fmod(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the remainder of x1 / x2 with the sign of x1, as in C."""
    return jnp.fmod(array(x1), array(x2))


@op
def arctan2(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the angle of the point (x2, x1) in radians, in [-pi, pi]."""
    return jnp.arctan2(*inexact_pair(x1, x2))


@op
def hypot(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return sqrt(x1^2 + x2^2), without overflow on the way."""
    return jnp.hypot(*inexact_pair(x1, x2))


@op
def logaddexp(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return log(e^x1 + e^x2), without overflow on the way."""
    return jnp.logaddexp(*inexact_pair(x1, x2))


@op
def logaddexp2(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return log2(2^x1 + 2^x2), without overflow on the way."""
    return jnp.logaddexp2(*inexact_pair(x1, x2))


@op
def heaviside(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return 0 where x1 < 0, x2 where x1 = 0, 1 where x1 > 0."""
    return jnp.heaviside(*inexact_pair(x1, x2))


@op
def ldexp(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return x1 * 2^x2 for whole x2."""
    return jnp.ldexp(inexact(x1), array(x2))


@op
def nextafter(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the float that follows x1 in the direction of x2; its gradient is that of x1."""
    return _nextafter(*inexact_pair(x1, x2))


@jax.custom_jvp
def _nextafter(x1: jax.Array, x2: jax.Array) -> jax.Array:
    return jnp.nextafter(x1, x2)


@_nextafter.defjvp
def _(primals: Pair, tangents: Pair) -> Pair:
    result = _nextafter(*primals)
    return result, jnp.broadcast_to(tangents[0], result.shape)


@op
def gcd(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the greatest common divisor of integers."""
    return jnp.gcd(array(x1), array(x2))


@op
def lcm(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the least common multiple of integers."""
    return jnp.lcm(array(x1), array(x2))


@op
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x * 2^y for integers: the bits of x moved up by y places."""
    return jnp.left_shift(array(x), array(y))


@op
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x // 2^y for integers: the bits of x moved down by y places."""
    return jnp.right_shift(array(x), array(y))


@op
def bitwise_not(x: TensorLike) -> jax.Array:
    """Return every bit of x turned over."""
    return jnp.bitwise_not(array(x))


# Keras has two names for each of these.
left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
bitwise_invert = bitwise_not
true_divide = divide
