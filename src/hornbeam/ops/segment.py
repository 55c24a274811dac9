"""Reductions over groups of rows: all rows with the same id become one.

Rows of ids outside 0 ... num_segments - 1 are left out. `num_segments` None is the largest id + 1, which depends on values:
a compiled program must say it. Segments without rows get the reduction's neutral element: 0, 1, or the type's limit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from hornbeam.core.kinks import Pair
from hornbeam.core.op import op
from hornbeam.core.tensor import is_traced
from hornbeam.core.typing import TensorLike
from hornbeam.kernels.transforms import custom_tangent
from hornbeam.ops.common import array, row_numbers

__all__ = [
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
]


def _segments(
    reduce: Callable[..., jax.Array],
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None,
    is_sorted: bool,
) -> jax.Array:
    ids = row_numbers(segment_ids)
    if num_segments is None and is_traced(ids):
        raise ValueError(
            "A compiled segment reduction needs `num_segments`: ids are not known yet."
        )
    return reduce(array(data), ids, num_segments, indices_are_sorted=is_sorted)


@custom_tangent(2, 3)
def _product(
    data: jax.Array, ids: jax.Array, count: int | None, indices_are_sorted: bool
) -> jax.Array:
    return jax.ops.segment_prod(data, ids, count, indices_are_sorted)


@_product.defjvp
def _(count: int | None, is_sorted: bool, primals: Pair, tangents: Pair) -> Pair:
    """Return the products, and the sums of each row's change times the product of the other rows."""
    data, ids = primals
    result = _product(data, ids, count, is_sorted)
    total = partial(jax.ops.segment_sum, num_segments=len(result), indices_are_sorted=is_sorted)
    is_zero = data == 0
    zeros = total(is_zero.astype("int32"), ids)[ids]
    other = jnp.where(is_zero, 1, data)
    product = _product(other, ids, len(result), is_sorted)[ids]
    without = jnp.where(is_zero, product, product / other)
    others = jnp.where(zeros == is_zero, without, 0)  # another row is 0
    return result, total(tangents[0] * others, ids)


@op
def segment_sum(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> jax.Array:
    """Return the sum of each segment's rows.

    >>> from hornbeam.keras import ops
    >>> print(ops.segment_sum([1, 2, 10], [0, 0, 1], num_segments=2).numpy())
    [ 3 10]
    """
    return _segments(jax.ops.segment_sum, data, segment_ids, num_segments, sorted)


@op
def segment_prod(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> jax.Array:
    """Return the product of each segment's rows."""
    return _segments(_product, data, segment_ids, num_segments, sorted)


@op
def segment_max(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> jax.Array:
    """Return the largest element of each segment's rows."""
    return _segments(jax.ops.segment_max, data, segment_ids, num_segments, sorted)


@op
def segment_min(
    data: TensorLike,
    segment_ids: TensorLike,
    num_segments: int | None = None,
    sorted: bool = False,
) -> jax.Array:
    """Return the smallest element of each segment's rows."""
    return _segments(jax.ops.segment_min, data, segment_ids, num_segments, sorted)


@op(name="tf.math.segment_mean")
def segment_mean(data: TensorLike, segment_ids: TensorLike, num_segments: int) -> jax.Array:
    """Return the mean of each segment's rows, 0 for a segment without rows."""
    total, rows = _sums_and_rows(data, segment_ids, num_segments)
    return (total / rows).astype(total.dtype)


@op(name="tf.math.unsorted_segment_sqrt_n")
def segment_sqrt_n(data: TensorLike, segment_ids: TensorLike, num_segments: int) -> jax.Array:
    """Return the sum of each segment's rows over the square root of their number, 0 for a segment without rows."""
    total, rows = _sums_and_rows(data, segment_ids, num_segments)
    return (total / jnp.sqrt(rows)).astype(total.dtype)


def _sums_and_rows(
    data: TensorLike, segment_ids: TensorLike, num_segments: int
) -> tuple[jax.Array, jax.Array]:
    """Return the sum of each segment's rows, and their number, at least 1."""
    data, ids = array(data), array(segment_ids)
    rows = jax.ops.segment_sum(jnp.ones(ids.shape, "float32"), ids, num_segments)
    total = jax.ops.segment_sum(data, ids, num_segments)
    return total, jnp.maximum(rows, 1).reshape(-1, *[1] * (data.ndim - 1))
