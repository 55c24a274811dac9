"""Max and average pooling over any number of spatial axes, channels last, by XLA.

XLA's own `reduce_window`, and above all `select_and_scatter`, the gradient of its maximum, are slow
on CPU. Small windows are therefore taken apart into taps: the strided slices of the input that hold
the first, second, ... element of every window. A maximum over taps is plain elementwise work.

Letters: b batch, s... space, c channels, k... window.
"""

# JAX's signatures leave types of options unknown, as of `jnp.einsum`; the results are known.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.kernels.transforms import custom_tangent

# Beyond so many elements per window, the unrolled program costs more than reduce_window.
MAX_TAPS = 64
# Beyond so many windows their counts are no constant: a file may describe any size, and nobody may ever call the layer.
MAX_COUNTS = 1 << 22

Ints = tuple[int, ...]


def max_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """See `pool.max_pool`."""
    window, strides = tuple(window), tuple(strides)
    if math.prod(window) > MAX_TAPS:
        return _reduce_window(x, _lowest(x.dtype), lax.max, window, strides, padding)
    if padding == "valid" and window == strides:
        return _max_pool_blocks(x, window)
    return _max_pool_taps(_pad(x, window, strides, padding, _lowest(x.dtype)), window, strides)


def average_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """See `pool.average_pool`."""
    window, strides = tuple(window), tuple(strides)
    if math.prod(window) > MAX_TAPS:
        total = _reduce_window(x, 0, lax.add, window, strides, padding)
    else:
        padded = _pad(x, window, strides, padding, 0)
        total = sum(taps(padded, window, strides), start=jnp.zeros((), x.dtype))
    return total / _window_counts(x.shape[1:-1], window, strides, padding).astype(x.dtype)


@custom_tangent(1)
def _max_pool_blocks(x: jax.Array, window: Ints) -> jax.Array:
    """Pool windows that lie side by side; what is left after the last whole one is not read.

    Without a gradient, this form is what XLA on CPU fuses with the convolution before it: the pair
    runs seven times faster than with taps. XLA's maximum drops NaN there; the form that gradients
    use (below) hands it on, so that training sees it.
    """
    return _reduce_window(x, _lowest(x.dtype), lax.max, window, window, "valid")


@_max_pool_blocks.defjvp
def _max_pool_blocks_jvp(
    window: Ints, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    x, dx = _crop_to_blocks(primals[0], window), _crop_to_blocks(tangents[0], window)
    largest, first = maximum(list(taps(x, window, window)))
    # Every element belongs to one window, so that the transpose of this (the gradient) is a
    # broadcast and a comparison: one fused loop that writes dx once.
    blocks, within = _split_blocks(dx, window)
    tap = np.arange(math.prod(window), dtype=first.dtype)
    tap = tap.reshape([n if axis in within else 1 for axis, n in enumerate(blocks.shape)])
    selected = jnp.expand_dims(first, within) == tap
    return largest, jnp.sum(jnp.where(selected, blocks, 0), axis=within)


@custom_tangent(1, 2)
def _max_pool_taps(x: jax.Array, window: Ints, strides: Ints) -> jax.Array:
    """Pool windows that overlap or leave gaps; x is already padded."""
    return maximum(list(taps(x, window, strides)))[0]


@_max_pool_taps.defjvp
def _max_pool_taps_jvp(
    window: Ints, strides: Ints, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    x, dx = primals[0], tangents[0]
    largest, first = maximum(list(taps(x, window, strides)))
    dy = jnp.zeros_like(largest)
    for number, tap in enumerate(taps(dx, window, strides)):
        dy = dy + jnp.where(first == number, tap, 0)
    return largest, dy


def maximum(taps: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Return the elementwise maximum over the taps, and the number of the first tap that has it."""
    largest, first = taps[0], jnp.zeros(taps[0].shape, jnp.uint8)
    for number, tap in enumerate(taps[1:], start=1):
        first = jnp.where(tap > largest, jnp.uint8(number), first)
        largest = lax.max(largest, tap)  # unlike `where(tap > largest)`, hands NaN on
    return largest, first


def taps(x: jax.Array, window: Ints, strides: Ints) -> Iterator[jax.Array]:
    """Return, for each place in the window in row-major order, that place's element of all windows."""
    outputs = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], window, strides, strict=True)]
    for offset in itertools.product(*map(range, window)):
        stop = [at + (n - 1) * s + 1 for at, n, s in zip(offset, outputs, strides, strict=True)]
        yield lax.slice(x, (0, *offset, 0), (x.shape[0], *stop, x.shape[-1]), (1, *strides, 1))


def _crop_to_blocks(x: jax.Array, window: Ints) -> jax.Array:
    """Drop what "valid" pooling never reads: the rest after the last whole window."""
    whole = [n // k * k for n, k in zip(x.shape[1:-1], window, strict=True)]
    return x[(slice(None), *map(slice, whole))]


def _split_blocks(x: jax.Array, window: Ints) -> tuple[jax.Array, Ints]:
    """Return x as (b, h / k, k, w / k, k, c), and which axes lie within a window."""
    split = [part for n, k in zip(x.shape[1:-1], window, strict=True) for part in (n // k, k)]
    within = tuple(range(2, 2 + 2 * len(window), 2))
    return x.reshape(x.shape[0], *split, x.shape[-1]), within


def _pad(x: jax.Array, window: Ints, strides: Ints, padding: str, value: float) -> jax.Array:
    if padding == "valid":
        return x
    pairs = same_padding(x.shape[1:-1], window, strides)
    # lax.pad also crops, by negative amounts, where a stride is longer than its window.
    config = [(0, 0, 0), *((before, after, 0) for before, after in pairs), (0, 0, 0)]
    return lax.pad(x, jnp.asarray(value, x.dtype), config)


def same_padding(
    sizes: Sequence[int], window: Sequence[int], strides: Sequence[int]
) -> list[tuple[int, int]]:
    """Return TensorFlow's "same" padding: ceil(size / stride) windows, the odd zero at the end."""
    pairs: list[tuple[int, int]] = []
    for size, k, stride in zip(sizes, window, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + k - size, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _window_counts(
    sizes: Ints, window: Ints, strides: Ints, padding: str
) -> np.ndarray | jax.Array:
    """Return how many real elements each window holds, shape (s'..., 1)."""
    if padding == "valid":
        return np.array(float(math.prod(window)))
    outputs = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
    return window_counts(sizes, window, strides, same_padding(sizes, window, strides), outputs)


def window_counts(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[tuple[int, int]],
    outputs: Sequence[int],
) -> np.ndarray | jax.Array:
    """Return how many real elements each window holds, shape (s'..., 1): a constant, or a part of the program if large."""
    xp = np if math.prod(outputs) <= MAX_COUNTS else jnp
    counts = xp.ones(())
    for size, k, stride, (before, _), out in zip(
        sizes, window, strides, pads, outputs, strict=True
    ):
        start = xp.arange(out) * stride - before
        inside = xp.minimum(start + k, size) - xp.maximum(start, 0)
        counts = counts[..., None] * inside
    return counts[..., None]


def _reduce_window(
    x: jax.Array,
    start: float,
    reduce: Callable[[jax.Array, jax.Array], jax.Array],
    window: Ints,
    strides: Ints,
    padding: str,
) -> jax.Array:
    # JAX differentiates only the reductions it knows, and knows them by a start value that is a
    # plain scalar of the right dtype.
    init = np.asarray(start, x.dtype)[()]
    return lax.reduce_window(x, init, reduce, (1, *window, 1), (1, *strides, 1), padding.upper())


def _lowest(dtype: np.dtype[np.generic]) -> float:
    """Return what loses against every value of the dtype."""
    if jnp.issubdtype(dtype, jnp.floating):
        return -math.inf
    return False if dtype == jnp.bool_ else int(jnp.iinfo(dtype).min)
