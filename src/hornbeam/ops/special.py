"""Functions of one or two numbers that `tf.math` has beyond `keras.ops`: gamma functions, products and quotients without NaN."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand, true_operands
from hornbeam.core.kinks import Pair
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops import binary
from hornbeam.ops.common import array, inexact_pair


@op
def lgamma(x: TensorLike) -> jax.Array:
    """Return log |gamma(x)|"""
    return jax.scipy.special.gammaln(operand(x))


@op
def digamma(x: TensorLike) -> jax.Array:
    """Return the derivative of `lgamma`."""
    return jax.scipy.special.digamma(operand(x))


@op
def reciprocal_no_nan(x: TensorLike) -> jax.Array:
    """Return 1 / x, and 0 where x is 0."""
    x = array(x)
    return jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x)).astype(x.dtype)


@op(name="tf.math.divide_no_nan")
def divide_no_nan(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x / y, and 0 where y is 0."""
    return binary.divide_no_nan.raw(*true_operands(x, y))


@op
def squared_difference(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return (x - y)^2"""
    return jnp.square(jnp.subtract(operand(x), operand(y)))


@op
def multiply_no_nan(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x y, and 0 where y is 0 even if x is NaN or infinite."""
    return jnp.where(array(y) == 0, 0, jnp.multiply(operand(x), operand(y)))


@op
def xlogy(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x log(y), and 0 where x is 0; so are its slopes there."""
    return _xlogy(*inexact_pair(x, y))


@jax.custom_jvp
def _xlogy(x: jax.Array, y: jax.Array) -> jax.Array:
    return jnp.where(x == 0, x, jax.scipy.special.xlogy(x, y))


@_xlogy.defjvp
def _(primals: Pair, tangents: Pair) -> Pair:
    (x, y), (of_x, of_y) = primals, tangents
    slope = _xlogy((x != 0).astype(x.dtype), y)
    return _xlogy(x, y), of_x * slope + of_y * xdivy.raw(x, y)


@op
def xlog1py(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x log(1 + y), and 0 where x is 0; so are its slopes there."""
    x, y = inexact_pair(x, y)
    found = jax.scipy.special.xlog1py(x, jnp.where(x == 0, 0, y))
    return jnp.where(x == 0, jax.lax.stop_gradient(x), found)


@op
def xdivy(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return x / y, and 0 where x is 0."""
    x, y = array(x), array(y)
    return jnp.where(x == 0, 0, x / jnp.where(x == 0, 1, y))


@op(name="tf.math.approx_max_k")
def approximate_top_k(
    x: TensorLike, k: int, axis: int, recall: float, largest: bool
) -> tuple[jax.Array, jax.Array]:
    """Return the k greatest (or least) elements along an axis and their places, found with probability `recall` each."""
    find = jax.lax.approx_max_k if largest else jax.lax.approx_min_k
    values, places = find(array(x), k, reduction_dimension=axis, recall_target=recall)
    return values, places


@op
def add_n(inputs: Sequence[TensorLike]) -> jax.Array:
    """Return the sum of a list of tensors of one shape."""
    total = array(inputs[0])
    for each in inputs[1:]:
        total = total + operand(each)
    return total


@op(name="complex")
def complex_number(real: TensorLike, imag: TensorLike) -> jax.Array:
    """Return real + i imag"""
    return jax.lax.complex(array(real), array(imag))


@op(name="tf.clip_by_global_norm")
def clipping_scale(norm: TensorLike, clip_norm: TensorLike) -> jax.Array:
    """Return the factor for tensors of the global norm `norm`; NaN where that is not finite, so that nobody trains on."""
    size = array(norm)
    limit = array(clip_norm, size.dtype)
    scale = limit * jnp.minimum(1.0 / size, 1.0 / limit)
    return jnp.where(jnp.isfinite(size), scale, jnp.nan).astype(size.dtype)
