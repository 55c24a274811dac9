"""Places moved between axes: blocks of space into the batch and back, reversed sequences, windows as channels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import conv_patches, pad
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array

Pairs = Sequence[tuple[int, int]]


@op(name="tf.space_to_batch")
def space_to_batch(x: TensorLike, block: Sequence[int], paddings: Pairs) -> jax.Array:
    """Return the places of each block as rows of the batch: (b, n1, ..., rest) -> (k1 ... b, n1 / k1, ..., rest)

    The spatial axes, one for each size of `block`, are padded with zeros first.
    """
    x, count = array(x), len(block)
    x = pad(x, [(0, 0), *paddings, *[(0, 0)] * (x.ndim - 1 - count)])
    sizes = x.shape[1 : 1 + count]
    if any(size % each for size, each in zip(sizes, block, strict=True)):
        raise ValueError(
            f"`space_to_batch` can't divide padded sizes {sizes} into blocks {tuple(block)}."
        )
    rest = x.shape[1 + count :]
    split = [part for n, k in zip(sizes, block, strict=True) for part in (n // k, k)]
    x = x.reshape(x.shape[0], *split, *rest)
    inner = list(range(2, 2 + 2 * count, 2))
    outer = list(range(1, 1 + 2 * count, 2))
    tail = list(range(1 + 2 * count, x.ndim))
    x = jnp.transpose(x, [*inner, 0, *outer, *tail])
    return x.reshape(-1, *x.shape[1 + count :])


@op(name="tf.batch_to_space")
def batch_to_space(x: TensorLike, block: Sequence[int], crops: Pairs) -> jax.Array:
    """Undo `space_to_batch`, then cut `crops` off the spatial axes: (k1 ... b, n1, ..., rest) -> (b, n1 k1, ..., rest)"""
    x, count = array(x), len(block)
    if x.shape[0] % math.prod(block):
        raise ValueError(
            f"`batch_to_space` can't divide {x.shape[0]} rows among blocks {tuple(block)}."
        )
    sizes, rest = x.shape[1 : 1 + count], x.shape[1 + count :]
    x = x.reshape(*block, -1, *sizes, *rest)
    order = [count]
    for axis in range(count):
        order += [count + 1 + axis, axis]
    x = jnp.transpose(x, [*order, *range(2 * count + 1, x.ndim)])
    grown = [n * k for n, k in zip(sizes, block, strict=True)]
    x = x.reshape(x.shape[0], *grown, *rest)
    for axis, (before, after) in enumerate(crops, start=1):
        x = jax.lax.slice_in_dim(x, before, x.shape[axis] - after, axis=axis)
    return x


@op(name="tf.reverse_sequence")
def reverse_sequence(
    x: TensorLike, lengths: TensorLike, seq_axis: int, batch_axis: int
) -> jax.Array:
    """Return x with the first `lengths[i]` slices along `seq_axis` turned round, for row i along `batch_axis`."""
    x = array(x)
    moved = jnp.moveaxis(x, (batch_axis, seq_axis), (0, 1))
    steps = jnp.arange(moved.shape[1])
    ends = array(lengths)[:, None]
    places = jnp.where(steps < ends, ends - 1 - steps, steps)
    places = places.reshape(*places.shape, *[1] * (moved.ndim - 2))
    return jnp.moveaxis(jnp.take_along_axis(moved, places, 1), (0, 1), (batch_axis, seq_axis))


@op(name="tf.extract_patches")
def extract_patches(
    x: TensorLike, sizes: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """Return each window's elements in one row: (b, n..., c) -> (b, n'..., sizes... c), the channel innermost."""
    x = array(x)
    count = len(sizes)
    first = jnp.moveaxis(x, -1, 1)
    # One pass over (b c, 1, n...), so that the channels end up inside of the windows.
    flat = first.reshape(-1, 1, *first.shape[2:])
    found = conv_patches(flat, tuple(sizes), tuple(strides), padding)
    found = found.reshape(x.shape[0], x.shape[-1], *found.shape[1:])
    found = jnp.moveaxis(found, (1, 2), (-1, -2))
    return found.reshape(*found.shape[: 1 + count], -1)


@op(name="tf.histogram_fixed_width_bins")
def histogram_bins(values: TensorLike, limits: TensorLike, bins: int, dtype: str) -> jax.Array:
    """Return the number of the interval that each value is in, of `bins` equal ones; what lies outside is in the nearest."""
    values, limits = array(values), array(limits)
    low, high = limits[0], limits[1]
    shares = (values - low) / (high - low)
    return jnp.clip(jnp.floor(shares * bins), 0, bins - 1).astype(dtype)


@op(name="tf.math.invert_permutation")
def invert_permutation(x: TensorLike) -> jax.Array:
    """Return y with y[x[i]] = i for a permutation x of 0, 1, 2, ..."""
    x = array(x)
    return jnp.zeros_like(x).at[x].set(jnp.arange(x.shape[0], dtype=x.dtype))


@op(name="tf.math.is_non_decreasing")
def is_rising(x: TensorLike, strictly: bool) -> jax.Array:
    """Return whether no element is less than the one before; `strictly`: each is greater."""
    x = jnp.ravel(array(x))
    return jnp.all(x[1:] > x[:-1] if strictly else x[1:] >= x[:-1])
