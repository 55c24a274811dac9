"""True or false of each element, and choosing between elements."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, indices

__all__ = [
    "allclose",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "nonzero",
    "select",
    "where",
]


@op
def logical_and(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return whether both are true (not 0)."""
    return jnp.logical_and(array(x1), array(x2))


@op
def logical_or(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return whether at least one is true (not 0)."""
    return jnp.logical_or(array(x1), array(x2))


@op
def logical_xor(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return whether exactly one is true (not 0)."""
    return jnp.logical_xor(array(x1), array(x2))


@op
def logical_not(x: TensorLike) -> jax.Array:
    """Return whether x is false (0)."""
    return jnp.logical_not(array(x))


@op
def isfinite(x: TensorLike) -> jax.Array:
    """Return whether x is neither infinite nor NaN."""
    return jnp.isfinite(array(x))


@op
def isinf(x: TensorLike) -> jax.Array:
    """Return whether x is plus or minus infinity."""
    return jnp.isinf(array(x))


@op
def isnan(x: TensorLike) -> jax.Array:
    """Return whether x is NaN."""
    return jnp.isnan(array(x))


@op
def isposinf(x: TensorLike) -> jax.Array:
    """Return whether x is plus infinity."""
    return jnp.isposinf(array(x))


@op
def isneginf(x: TensorLike) -> jax.Array:
    """Return whether x is minus infinity."""
    return jnp.isneginf(array(x))


@op
def isreal(x: TensorLike) -> jax.Array:
    """Return whether the imaginary part of x is 0."""
    return jnp.isreal(array(x))


@op
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> jax.Array:
    """Return whether |x1 - x2| <= atol + rtol * |x2|."""
    return jnp.isclose(array(x1), array(x2), rtol, atol, equal_nan)


@op
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> jax.Array:
    """Return whether |x1 - x2| <= atol + rtol * |x2| everywhere: one boolean."""
    return jnp.allclose(array(x1), array(x2), rtol, atol, equal_nan)


@op
def isin(
    x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False
) -> jax.Array:
    """Return, for each element of x1, whether it occurs in x2 (with `invert`: whether it does not)."""
    return jnp.isin(array(x1), array(x2), assume_unique=assume_unique, invert=invert)


@op
def where(
    condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None
) -> jax.Array | tuple[jax.Array, ...]:
    """Return x1 where the condition is true, else x2; alone, the indices where it is true.

    The number of indices depends on values, so that the second form can't be compiled.

    >>> from hornbeam.keras import ops
    >>> print(ops.where([True, False], 1.0, [2.0, 3.0]).numpy())
    [1. 3.]
    """
    if x1 is None and x2 is None:
        return jnp.where(array(condition))
    if x1 is None or x2 is None:
        raise ValueError("`where` takes both `x1` and `x2`, or neither; received one of them.")
    return jnp.where(array(condition).astype(bool), array(x1), array(x2))


@op
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0
) -> jax.Array:
    """Return, for each element, the choice of the first condition that is true there, or `default`.

    >>> from hornbeam.keras import ops
    >>> x = ops.arange(5)
    >>> print(ops.select([x < 2, x > 3], [-x, x * x], default=9).numpy())
    [ 0 -1  9  9 16]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"Each condition has a choice; received {len(condlist)} conditions and {len(choicelist)} choices."
        )
    # Not by `jnp.select`, which finds the choice by an argmax that can't be part of a program in 64 bits.
    choices = [array(choice) for choice in choicelist]
    found = jnp.asarray(operand(default)).astype(jnp.result_type(*choices, operand(default)))
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        found = jnp.where(array(condition), choice, found)
    return found


@op
def nonzero(x: TensorLike) -> tuple[jax.Array, ...]:
    """Return, per axis, the indices of the elements that are not 0. Depends on values: not compilable."""
    return tuple(map(indices, jnp.nonzero(array(x))))
