"""The elementary ops behind the operators `+ - * / // % ** == < & | ^ ~ [...]`; `@` is `ops.matmul`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import fusion
from hornbeam.core.op import Op, op
from hornbeam.core.operators import elementary
from hornbeam.core.typing import TensorLike

__all__ = [
    "absolute",
    "add",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "divide",
    "equal",
    "floor_divide",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "mod",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "subtract",
]


def _operator(fn: Callable[..., Any]) -> Op[...]:
    made = op(name="get_item" if fn.__name__ == "getitem" else fn.__name__)(fn)
    elementary[fn.__name__] = made
    return made


def _array(x: TensorLike) -> Any:
    """jnp functions refuse lists, which users write as constants: `x + [1, 2]`."""
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


@_operator
def add(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 + x2"""
    a, b = _array(x1), _array(x2)
    for one, other in ((a, b), (b, a)):
        if isinstance(other, jax.Array) and (fused := fusion.taken(one, "add", other)) is not None:
            return fused
    return jnp.add(a, b)


@_operator
def subtract(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 - x2"""
    return jnp.subtract(_array(x1), _array(x2))


@_operator
def multiply(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 * x2"""
    return jnp.multiply(_array(x1), _array(x2))


@_operator
def divide(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 / x2"""
    return jnp.divide(_array(x1), _array(x2))


@_operator
def floor_divide(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 // x2"""
    return jnp.floor_divide(_array(x1), _array(x2))


@_operator
def mod(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 % x2, with the sign of the divisor."""
    return jnp.mod(_array(x1), _array(x2))


@_operator
def power(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 ** x2"""
    return jnp.power(_array(x1), _array(x2))


@_operator
def negative(x: TensorLike) -> Any:
    """-x"""
    return jnp.negative(_array(x))


@_operator
def absolute(x: TensorLike) -> Any:
    """|x|"""
    return jnp.absolute(_array(x))


@_operator
def invert(x: TensorLike) -> Any:
    """~x: logical for booleans, by bits for integers."""
    return jnp.invert(_array(x))


@_operator
def equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 == x2"""
    return jnp.equal(_array(x1), _array(x2))


@_operator
def not_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 != x2"""
    return jnp.not_equal(_array(x1), _array(x2))


@_operator
def less(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 < x2"""
    return jnp.less(_array(x1), _array(x2))


@_operator
def less_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 <= x2"""
    return jnp.less_equal(_array(x1), _array(x2))


@_operator
def greater(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 > x2"""
    return jnp.greater(_array(x1), _array(x2))


@_operator
def greater_equal(x1: TensorLike, x2: TensorLike) -> Any:
    """x1 >= x2"""
    return jnp.greater_equal(_array(x1), _array(x2))


@_operator
def bitwise_and(x: TensorLike, y: TensorLike) -> Any:
    """x & y"""
    return jnp.bitwise_and(_array(x), _array(y))


@_operator
def bitwise_or(x: TensorLike, y: TensorLike) -> Any:
    """x | y"""
    return jnp.bitwise_or(_array(x), _array(y))


@_operator
def bitwise_xor(x: TensorLike, y: TensorLike) -> Any:
    """x ^ y"""
    return jnp.bitwise_xor(_array(x), _array(y))


@_operator
def getitem(x: TensorLike, key: Any) -> Any:
    """x[key]"""
    # Sizes, as `tf.shape` returns them, stay numbers while a program is compiled.
    if isinstance(x, np.ndarray):
        return x[key]
    return jnp.asarray(x)[key]
