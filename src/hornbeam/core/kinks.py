"""Functions with a kink, with the slopes there that TensorFlow takes; JAX takes others.

|x| has slope 0 at 0. Of two equal numbers the first is the larger one, and the smaller one, and has all of the gradient.
Where nothing is traced, nothing is differentiated, and JAX's own functions are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.typing import ArrayLike

Pair: TypeAlias = tuple[Any, Any]


def absolute(x: ArrayLike) -> jax.Array:
    """Return |x|, with slope 0 at 0."""
    return _absolute(x) if _is_traced(x) else jnp.absolute(x)


def maximum(x: ArrayLike, y: ArrayLike) -> jax.Array:
    """Return the larger of two numbers; of equal ones, x."""
    return _maximum(*_alike(x, y)) if _is_traced(x, y) else jnp.maximum(x, y)


def minimum(x: ArrayLike, y: ArrayLike) -> jax.Array:
    """Return the smaller of two numbers; of equal ones, x."""
    return _minimum(*_alike(x, y)) if _is_traced(x, y) else jnp.minimum(x, y)


def clip(x: ArrayLike, low: ArrayLike, high: ArrayLike) -> jax.Array:
    """Return min(max(x, low), high); at a limit the slope is that of x."""
    if not _is_traced(x, low, high):
        return jnp.clip(x, low, high)
    return minimum(maximum(x, low), high)


def _is_traced(*values: ArrayLike) -> bool:
    """Return whether the values may be differentiated."""
    return any(isinstance(each, Tracer) for each in values) and jnp.issubdtype(
        jnp.result_type(*values), jnp.floating
    )


def _alike(x: ArrayLike, y: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """Return arrays of one type; a plain number takes that of the other."""
    common = jnp.result_type(x, y)

    def of(value: ArrayLike) -> ArrayLike:
        if isinstance(value, (int, float)):
            return float(value)
        array = jnp.asarray(value)
        return array if array.dtype == common else array.astype(common)

    return of(x), of(y)


@jax.custom_jvp
def _absolute(x: ArrayLike) -> jax.Array:
    return jnp.absolute(x)


@_absolute.defjvp
def _(primals: tuple[Any], tangents: tuple[Any]) -> Pair:
    (x,), (change,) = primals, tangents
    return _absolute(x), change * jnp.sign(x)


@jax.custom_jvp
def _maximum(x: ArrayLike, y: ArrayLike) -> jax.Array:
    return jnp.maximum(x, y)


@jax.custom_jvp
def _minimum(x: ArrayLike, y: ArrayLike) -> jax.Array:
    return jnp.minimum(x, y)


def _chosen(
    choose: Callable[..., jax.Array], is_first: Callable[..., jax.Array]
) -> Callable[[Pair, Pair], Pair]:
    def derivative(primals: Pair, tangents: Pair) -> Pair:
        result = choose(*primals)
        of_x, of_y = (jnp.asarray(each, result.dtype) for each in tangents)
        return result, jnp.where(is_first(*primals), of_x, of_y)

    return derivative


_maximum.defjvp(_chosen(_maximum, jnp.greater_equal))
_minimum.defjvp(_chosen(_minimum, jnp.less_equal))
