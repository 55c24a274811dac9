"""Functions of one or two numbers that `tf.math` has beyond `keras.ops`: gamma functions, products and quotients without NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.ops.common import TensorLike, array


@op
def lgamma(x: TensorLike) -> Any:
    """log |gamma(x)|"""
    return jax.scipy.special.gammaln(x)


@op
def digamma(x: TensorLike) -> Any:
    """The derivative of `lgamma`."""
    return jax.scipy.special.digamma(x)


@op
def reciprocal_no_nan(x: TensorLike) -> Any:
    """1 / x, and 0 where x is 0."""
    x = array(x)
    return jnp.where(x == 0, 0, 1 / jnp.where(x == 0, 1, x)).astype(x.dtype)


@op
def squared_difference(x: TensorLike, y: TensorLike) -> Any:
    """(x - y)^2"""
    return jnp.square(jnp.subtract(x, y))


@op
def multiply_no_nan(x: TensorLike, y: TensorLike) -> Any:
    """x y, and 0 where y is 0 even if x is NaN or infinite."""
    return jnp.where(array(y) == 0, 0, jnp.multiply(x, y))


@op
def xlogy(x: TensorLike, y: TensorLike) -> Any:
    """x log(y), and 0 where x is 0."""
    return jax.scipy.special.xlogy(x, y)


@op
def xlog1py(x: TensorLike, y: TensorLike) -> Any:
    """x log(1 + y), and 0 where x is 0."""
    return jax.scipy.special.xlog1py(x, y)


@op
def xdivy(x: TensorLike, y: TensorLike) -> Any:
    """x / y, and 0 where x is 0."""
    x, y = array(x), array(y)
    return jnp.where(x == 0, 0, x / jnp.where(x == 0, 1, y))


@op
def add_n(inputs: Sequence[TensorLike]) -> Any:
    """The sum of a list of tensors of one shape."""
    return sum(inputs[1:], start=array(inputs[0]))


@op(name="complex")
def complex_number(real: TensorLike, imag: TensorLike) -> Any:
    """real + i imag"""
    return jax.lax.complex(array(real), array(imag))
