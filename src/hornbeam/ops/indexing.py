"""Elements picked out and put in by their places, as TensorFlow addresses them: rows of an array of indices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, row_numbers


@op
def gather(params: TensorLike, indices: TensorLike, axis: int, batch_dims: int) -> jax.Array:
    """Return the slices of `params` at `indices` along an axis, row by row over the first `batch_dims` axes.

    For an index out of range the result is NaN (the least value for integers).
    """

    def take(p: jax.Array, i: jax.Array) -> jax.Array:
        return jnp.take(p, i, axis=axis - batch_dims, mode="fill")

    for _ in range(batch_dims):
        take = jax.vmap(take)
    return take(array(params), row_numbers(indices))


@op
def gather_nd(params: TensorLike, indices: TensorLike, batch_dims: int = 0) -> jax.Array:
    """Return the slices of `params` at places along its first axes, which the last axis of `indices` counts."""

    def pick(p: jax.Array, i: jax.Array) -> jax.Array:
        return p[_places(i)]

    for _ in range(batch_dims):
        pick = jax.vmap(pick)
    return pick(array(params), array(indices))


@op
def tensor_scatter_nd_update(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> jax.Array:
    """Return a copy of `tensor` with `updates` at the places `indices`."""
    return array(tensor).at[_places(array(indices))].set(array(updates))


@op
def tensor_scatter_nd_add(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> jax.Array:
    """Return a copy of `tensor` with `updates` added at the places `indices`."""
    return array(tensor).at[_places(array(indices))].add(array(updates))


@op
def tensor_scatter_nd_sub(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> jax.Array:
    """Return a copy of `tensor` with `updates` taken off at the places `indices`."""
    return array(tensor).at[_places(array(indices))].subtract(array(updates))


@op
def tensor_scatter_nd_max(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> jax.Array:
    """Return a copy of `tensor` with the larger of it and `updates` at the places `indices`."""
    return array(tensor).at[_places(array(indices))].max(array(updates))


@op
def tensor_scatter_nd_min(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike
) -> jax.Array:
    """Return a copy of `tensor` with the smaller of it and `updates` at the places `indices`."""
    return array(tensor).at[_places(array(indices))].min(array(updates))


@op
def sequence_mask(lengths: TensorLike, longest: int, dtype: str) -> jax.Array:
    """Return True for the first `length` places of each row. (b, ...) -> (b, ..., longest)"""
    return (jnp.arange(longest) < array(lengths)[..., None]).astype(dtype)


@op(name="tf.strided_slice_assign")
def with_item(x: TensorLike, key: Any, value: TensorLike) -> jax.Array:
    """Return a copy of `x` with `value` at `x[key]`."""
    values = array(x)
    return values.at[key].set(array(value).astype(values.dtype))


@op(name="tf.scatter_rows")
def with_rows(
    x: TensorLike, indices: TensorLike, updates: TensorLike, how: str, batch_dims: int = 0
) -> jax.Array:
    """Return a copy of `x` with `updates` put into, or combined with, the rows at `indices` of an axis.

    `how` is "set", "add", "subtract", "multiply", "divide", "max" or "min". The axes before `batch_dims` are those of
    `indices` too.
    """
    values, rows = array(x), array(indices)
    batch = jnp.indices(rows.shape, sparse=True)[:batch_dims]
    return getattr(values.at[(*batch, rows)], how)(array(updates).astype(values.dtype))


@op(name="tf.scatter_nd_into")
def with_places(x: TensorLike, indices: TensorLike, updates: TensorLike, how: str) -> jax.Array:
    """Return a copy of `x` with `updates` put into, or combined with, the places `indices`; `how` as in `with_rows`."""
    values = array(x)
    return getattr(values.at[_places(array(indices))], how)(array(updates).astype(values.dtype))


def _places(indices: jax.Array) -> tuple[jax.Array, ...]:
    """Return rows of indices as one array of indices for each axis."""
    return tuple(jnp.moveaxis(indices, -1, 0))
