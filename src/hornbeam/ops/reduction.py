"""Many numbers to one: along given axes, or over all of them.

In every function `axis` is one axis, several, or None for all; with `keepdims` a reduced axis stays with size 1. Means and
deviations of integers are floats; sums of small integers and booleans are 32 bits wide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.dtypes import canonical
from hornbeam.core.jax_typed import associative_scan
from hornbeam.core.op import op
from hornbeam.core.recording import without_gradient
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, DTypeLike, TensorLike
from hornbeam.ops import common
from hornbeam.ops.common import array, indices, inexact

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


@op
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the sum.

    >>> from hornbeam.keras import ops
    >>> print(ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy())
    [4. 6.]
    """
    return jnp.sum(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def prod(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: DTypeLike | None = None
) -> jax.Array:
    """Return the product."""
    target = None if dtype is None else canonical(dtype)
    return jnp.prod(array(x), axis=as_axis(axis), keepdims=keepdims, dtype=target)


@op
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the arithmetic mean."""
    return jnp.mean(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the standard deviation, sqrt(mean((x - mean(x))^2))."""
    return jnp.std(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the variance, mean((x - mean(x))^2)."""
    return jnp.var(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def average(x: TensorLike, axis: Axis = None, weights: TensorLike | None = None) -> jax.Array:
    """Return the weighted mean, sum(x * weights) / sum(weights).

    >>> from hornbeam.keras import ops
    >>> float(ops.average([1.0, 4.0], weights=[2.0, 1.0]))
    2.0
    """
    x = inexact(x)
    return jnp.average(x, axis=as_axis(axis), weights=None if weights is None else array(weights))


@op
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """Return the largest element; `initial` takes part as if it were one more."""
    return jnp.max(array(x), axis=as_axis(axis), keepdims=keepdims, initial=initial)


@op
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> jax.Array:
    """Return the smallest element; `initial` takes part as if it were one more."""
    return jnp.min(array(x), axis=as_axis(axis), keepdims=keepdims, initial=initial)


@op
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the largest element."""
    return jnp.max(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the smallest element."""
    return jnp.min(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Return the index of the largest element, the first of equals; None: in the flattened array."""
    return common.argmax(array(x), axis, keepdims)


@op
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Return the index of the smallest element, the first of equals; None: in the flattened array."""
    return common.argmin(array(x), axis, keepdims)


@op(name="tf.argmax")
def argmax_as(x: TensorLike, axis: int, dtype: DTypeLike) -> jax.Array:
    """Return `argmax` in a type; one op, as calls outside of programs cost by the number of ops."""
    return common.argmax(array(x), axis, keepdims=False).astype(canonical(dtype))


@op(name="tf.argmin")
def argmin_as(x: TensorLike, axis: int, dtype: DTypeLike) -> jax.Array:
    """Return `argmin` in a type."""
    return common.argmin(array(x), axis, keepdims=False).astype(canonical(dtype))


@op
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return whether every element is true (not 0)."""
    return jnp.all(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return whether at least one element is true (not 0)."""
    return jnp.any(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def count_nonzero(x: TensorLike, axis: Axis = None) -> jax.Array:
    """Return how many elements are not 0."""
    return indices(jnp.count_nonzero(array(x), axis=as_axis(axis)))


@op
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the largest element minus the smallest."""
    return jnp.ptp(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return log(sum(e^x)), without overflow on the way."""
    return jax.nn.logsumexp(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def cumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the running sum along an axis; None: of the flattened array."""
    return jnp.cumsum(array(x), axis=axis, dtype=None if dtype is None else canonical(dtype))


@op
def cumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the running product along an axis; None: of the flattened array."""
    return jnp.cumprod(array(x), axis=axis, dtype=None if dtype is None else canonical(dtype))


@op(name="tf.reduce_mean")
@without_gradient
def integer_mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the mean of integers as an integer, cut towards 0; 0 where there are none."""
    x = array(x)
    wide = canonical("int64" if jnp.issubdtype(x.dtype, jnp.signedinteger) else "uint64")
    total = jnp.sum(x, axis=as_axis(axis), dtype=wide, keepdims=keepdims)
    count = x.size // (total.size or 1) or 1
    return jax.lax.div(total, jnp.full(total.shape, count, wide)).astype(x.dtype)


@op(name="tf.math.cumsum")
def running_sum(x: TensorLike, axis: int, exclusive: bool, reverse: bool) -> jax.Array:
    """Sum as `cumsum` does, but leave each element itself out where `exclusive`, and begin at the end where `reverse`."""
    return _running(jnp.cumsum, 0, array(x), axis, exclusive, reverse)


@op(name="tf.math.cumprod")
def running_product(x: TensorLike, axis: int, exclusive: bool, reverse: bool) -> jax.Array:
    """Multiply as `cumprod` does, but leave each element itself out where `exclusive`, and begin at the end where `reverse`."""
    return _running(jnp.cumprod, 1, array(x), axis, exclusive, reverse)


@op(name="tf.math.cumulative_logsumexp")
def running_logsumexp(x: TensorLike, axis: int, exclusive: bool, reverse: bool) -> jax.Array:
    """Add as `running_sum` does, but exponentials, and take the logarithm of each sum."""

    def scan(values: jax.Array, axis: int) -> jax.Array:
        return associative_scan(jnp.logaddexp, values, axis=axis)

    return _running(scan, -jnp.inf, inexact(x), axis, exclusive, reverse)


def _running(
    scan: Callable[..., jax.Array],
    neutral: float,
    x: jax.Array,
    axis: int,
    exclusive: bool,
    reverse: bool,
) -> jax.Array:
    x = jnp.flip(x, axis) if reverse else x
    if exclusive and x.shape[axis]:
        rest = jax.lax.slice_in_dim(x, 0, x.shape[axis] - 1, axis=axis)
        first = jnp.full_like(jax.lax.slice_in_dim(x, 0, 1, axis=axis), neutral)
        x = jnp.concatenate([first, rest], axis)
    found = scan(x, axis=axis).astype(x.dtype)
    return jnp.flip(found, axis) if reverse else found


@op
def masked_mean(x: TensorLike, mask: TensorLike, axis: int, keepdims: bool) -> jax.Array:
    """Return the mean along an axis of what the mask, (b, t), keeps; NaN where it keeps nothing, as in Keras"""
    x = array(x)
    kept = jnp.expand_dims(jnp.asarray(mask, x.dtype), 3 - axis)
    total = jnp.sum(x * kept, axis=axis, keepdims=keepdims)
    return total / jnp.sum(kept, axis=axis, keepdims=keepdims)
