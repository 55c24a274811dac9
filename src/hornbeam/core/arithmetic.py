"""The elementary ops behind the operators `+ - * / // % ** == < & | ^ ~ [...]`; `@` is `ops.matmul`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from hornbeam.core import fusion, kinks
from hornbeam.core.divisors import not_zero
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import Op, op
from hornbeam.core.operators import elementary
from hornbeam.core.recording import without_gradient
from hornbeam.core.typing import NumpyArray, RawArray, TensorLike

P = ParamSpec("P")
R = TypeVar("R")

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


def _operator(fn: Callable[P, R]) -> Op[P, R]:
    made = op(name="get_item" if fn.__name__ == "getitem" else fn.__name__)(fn)
    elementary[fn.__name__] = made
    return made


def _division(fn: Callable[P, R]) -> Op[P, R]:
    elementary[fn.__name__] = made = op(name=fn.__name__, prepare=not_zero)(fn)
    return made


def operand(x: Any) -> ArrayLike:
    """Return the `TensorLike` argument of an op's body in a form that jax.numpy takes.

    jax.numpy refuses lists, which users write as constants: `x + [1, 2]`, or with tensors in them: `x + [y, z]`. Numbers
    stay Python numbers, without a type.
    """
    if not isinstance(x, (list, tuple)):
        return x
    has_arrays = any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(x))
    return jnp.asarray(x) if has_arrays else np.asarray(cast("Any", x))


@_operator
def add(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 + x2"""
    a, b = operand(x1), operand(x2)
    for one, other in ((a, b), (b, a)):
        if (
            isinstance(other, jax.Array)
            and (offered := fusion.offered(one, fusion.Add)) is not None
        ):
            fused = offered.compute(other)
            if fused is not None:
                return fused
    return jnp.add(a, b)


@_operator
def subtract(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 - x2"""
    return jnp.subtract(operand(x1), operand(x2))


@_operator
def multiply(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 * x2"""
    return jnp.multiply(operand(x1), operand(x2))


@_operator
def divide(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 / x2"""
    a, b = operand(x1), operand(x2)
    if jnp.result_type(a, b).itemsize == 8 and jnp.issubdtype(jnp.result_type(a, b), jnp.integer):
        a, b = jnp.asarray(a, "float32"), jnp.asarray(b, "float32")
    return jnp.divide(a, b)


_FLOATS = {np.dtype(whole): np.dtype("float64") for whole in ("int32", "int64", "uint32", "uint64")}


@op(name="tf.truediv")
def true_quotient(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 / x2 as TensorFlow divides: the quotient of whole numbers is float64, that of small ones float32."""
    return jnp.divide(*true_operands(x1, x2))


def true_operands(x1: TensorLike, x2: TensorLike) -> tuple[ArrayLike, ArrayLike]:
    """Return two numbers in the type in which TensorFlow divides them."""
    a, b = operand(x1), operand(x2)
    kind = _FLOATS.get(jnp.result_type(a, b))
    if kind is None:
        return a, b
    return jnp.asarray(a, canonical(kind)), jnp.asarray(b, canonical(kind))


elementary["true_quotient"] = true_quotient


@_division
@without_gradient
def floor_divide(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 // x2"""
    return jnp.floor_divide(operand(x1), operand(x2))


@op(name="tf.floordiv", prepare=not_zero)
@without_gradient
def floor_quotient(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 // x2 as TensorFlow divides: the quotient of fractions is rounded, and then cut to a whole number."""
    a, b = operand(x1), operand(x2)
    if jnp.issubdtype(jnp.result_type(a, b), jnp.floating):
        return jnp.floor(jnp.divide(a, b))
    return jnp.floor_divide(a, b)


elementary["floor_quotient"] = floor_quotient


@_division
def mod(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 % x2, with the sign of the divisor."""
    return jnp.mod(operand(x1), operand(x2))


@_operator
def power(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 ** x2"""
    return jnp.power(operand(x1), operand(x2))


@_operator
def negative(x: TensorLike) -> jax.Array:
    """-x"""
    return jnp.negative(operand(x))


@_operator
def absolute(x: TensorLike) -> jax.Array:
    """|x|"""
    return kinks.absolute(operand(x))


@_operator
def invert(x: TensorLike) -> jax.Array:
    """~x: logical for booleans, by bits for integers."""
    return jnp.invert(operand(x))


@_operator
def equal(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 == x2"""
    return jnp.equal(operand(x1), operand(x2))


@_operator
def not_equal(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 != x2"""
    return jnp.not_equal(operand(x1), operand(x2))


@_operator
def less(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 < x2"""
    return jnp.less(operand(x1), operand(x2))


@_operator
def less_equal(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 <= x2"""
    return jnp.less_equal(operand(x1), operand(x2))


@_operator
def greater(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 > x2"""
    return jnp.greater(operand(x1), operand(x2))


@_operator
def greater_equal(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """x1 >= x2"""
    return jnp.greater_equal(operand(x1), operand(x2))


@_operator
def bitwise_and(x: TensorLike, y: TensorLike) -> jax.Array:
    """x & y"""
    return jnp.bitwise_and(operand(x), operand(y))


@_operator
def bitwise_or(x: TensorLike, y: TensorLike) -> jax.Array:
    """x | y"""
    return jnp.bitwise_or(operand(x), operand(y))


@_operator
def bitwise_xor(x: TensorLike, y: TensorLike) -> jax.Array:
    """x ^ y"""
    return jnp.bitwise_xor(operand(x), operand(y))


@_operator
def getitem(x: TensorLike, key: Any) -> RawArray:
    """x[key]"""
    # Sizes, as `tf.shape` returns them, stay numbers while a program is compiled.
    if isinstance(x, np.ndarray):
        return cast("NumpyArray", x[key])
    return jnp.asarray(x)[key]
