"""Pooling: one value for each window of space.

Shapes are written channels last, (b, s..., c); `data_format="channels_first"` takes (b, c, s...).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import fusion
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import pool as kernels
from hornbeam.ops.common import array, inexact
from hornbeam.ops.layout import Ints, check_padding, from_channels_last, per_axis, to_channels_last

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "max_pool",
]

_MOST_SLICES = 128  # a program of more takes long to trace and to compile


@op
def max_pool(
    inputs: TensorLike,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Return the largest element of each window; (b, s..., c) -> (b, s'..., c)

    `strides` None is the window's size. The gradient goes to the first of equal elements.

    >>> from hornbeam.keras import ops
    >>> x = ops.reshape([1.0, 3.0, 2.0, 5.0], (1, 4, 1))
    >>> print(ops.max_pool(x, 2)[0, :, 0].numpy())
    [3. 5.]
    """
    x, window, steps = _windows("max_pool", inputs, pool_size, strides, padding, data_format)
    offered = fusion.offered(x, fusion.MaxPool)
    y = None if offered is None else offered.compute(window, steps, padding)
    if y is None:
        y = kernels.max_pool(x, window, steps, padding)
    return from_channels_last(y, data_format)


@op
def average_pool(
    inputs: TensorLike,
    pool_size: Ints,
    strides: Ints | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """Return the mean of each window, padding not counted; (b, s..., c) -> (b, s'..., c)

    >>> from hornbeam.keras import ops
    >>> x = ops.reshape([1.0, 3.0, 5.0], (1, 3, 1))
    >>> print(ops.average_pool(x, 2, padding="same")[0, :, 0].numpy())
    [2. 5.]
    """
    x, window, steps = _windows(
        "average_pool", inexact(inputs), pool_size, strides, padding, data_format
    )
    return from_channels_last(kernels.average_pool(x, window, steps, padding), data_format)


@op
def adaptive_average_pool(
    inputs: TensorLike, output_size: Ints, data_format: str | None = None
) -> jax.Array:
    """Return the means of `output_size` windows that divide each axis as evenly as they can.

    Window i of n along an axis of size s goes from floor(i s / n) up to ceil((i + 1) s / n).
    """
    return _adaptive(inexact(inputs), output_size, data_format, jnp.mean)


@op
def adaptive_max_pool(
    inputs: TensorLike, output_size: Ints, data_format: str | None = None
) -> jax.Array:
    """Return the largest elements of windows as in `adaptive_average_pool`."""
    return _adaptive(array(inputs), output_size, data_format, jnp.max)


def _windows(
    name: str,
    inputs: TensorLike,
    pool_size: Ints,
    strides: Ints | None,
    padding: str,
    data_format: str | None,
) -> tuple[jax.Array, tuple[int, ...], tuple[int, ...]]:
    x = to_channels_last(array(inputs), data_format)
    spatial = x.ndim - 2
    if spatial < 1:
        raise ValueError(
            f"`{name}` takes (batch, spatial axes..., channels); received shape {x.shape}."
        )
    check_padding(name, padding)
    window = per_axis("pool_size", pool_size, spatial)
    steps = window if strides is None else per_axis("strides", strides, spatial)
    if padding == "valid" and any(n < k for n, k in zip(x.shape[1:-1], window, strict=True)):
        raise ValueError(
            f"`{name}`: the window {window} is larger than the space {x.shape[1:-1]} of an input of "
            f"shape {x.shape} (channels last). Use a smaller window or padding='same'."
        )
    return x, window, steps


def _adaptive(
    x: jax.Array, output_size: Ints, data_format: str | None, reduce: Callable[..., jax.Array]
) -> jax.Array:
    x = to_channels_last(x, data_format)
    counts = per_axis("output_size", output_size, x.ndim - 2)
    for axis, count in enumerate(counts, start=1):
        if count > _MOST_SLICES:
            x = _gathered_windows(x, axis, count, reduce)
            continue
        size = x.shape[axis]
        parts = [
            jax.lax.slice_in_dim(x, i * size // count, -(-(i + 1) * size // count), axis=axis)
            for i in range(count)
        ]
        x = jnp.stack([reduce(part, axis=axis) for part in parts], axis=axis)
    return from_channels_last(x, data_format)


def _gathered_windows(
    x: jax.Array, axis: int, count: int, reduce: Callable[..., jax.Array]
) -> jax.Array:
    """Return what `reduce` makes of each window: a program whose length does not depend on their number."""
    size = x.shape[axis]
    if (count + 1) * size > np.iinfo(np.int32).max:
        raise ValueError(
            f"`output_size` asks for {count} windows along an axis of {size} elements; that is more than can be numbered. "
            "Use a smaller size."
        )
    window = jnp.arange(count)[:, None]
    start, end = window * size // count, -(-(window + 1) * size // count)
    places = start + jnp.arange(-(-size // count) + 1)
    is_inside = jnp.expand_dims(places < end, tuple(range(2, x.ndim - axis + 1)))
    gathered = jnp.take(x, jnp.minimum(places, end - 1), axis=axis)
    if reduce is jnp.max:  # the last element of a window once more changes nothing
        return jnp.max(gathered, axis=axis + 1)
    return reduce(gathered, axis=axis + 1, where=is_inside)
