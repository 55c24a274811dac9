"""Max and average pooling over any number of spatial axes, channels last.

On CPU one and two dimensions in float32 or bfloat16 are native. There gradients are custom ones:
`jax.grad` may be taken of them again, forward mode (`jax.jvp`) not.

Letters: b batch, s... space, c channels, k... window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax

from hornbeam.kernels import native, pool_native
from hornbeam.kernels import pool_reference as reference
from hornbeam.kernels.pool_native import Windows

# Below any of them, XLA's own pooling is left in place; see `_pays`.
MIN_SIZE = 2048
MIN_CHANNELS = 8


def max_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """The largest element of each window; (b, s..., c) -> (b, s'..., c).

    `padding` is "valid" or "same"; padded places never win. Where several elements of a window are
    equally large the gradient goes to the first of them in row-major order, as in XLA's
    `reduce_window` and TensorFlow, not in equal parts to all.
    """
    windows = _windows(x, window, strides, padding)
    if windows is None or not native.suits(x):
        return reference.max_pool(x, window, strides, padding)
    y = pool_native.max_pool(windows, _image(x))
    return y if x.ndim == 4 else y[:, 0]


def average_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """The mean of each window; (b, s..., c) -> (b, s'..., c).

    With "same" padding the divisor is the number of real elements in the window: padding does not
    pull the mean towards zero.
    """
    windows = _windows(x, window, strides, padding)
    if windows is None or not native.suits(x):
        return reference.average_pool(x, window, strides, padding)
    y = pool_native.average_pool(windows, _image(x))
    return y if x.ndim == 4 else y[:, 0]


def _windows(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> Windows | None:
    """The windows as the native kernels want them; None where those don't compute them."""
    if not 3 <= x.ndim <= 4 or 0 in x.shape[1:] or math.prod(window) > reference.MAX_TAPS:
        return None
    sizes, pads = x.shape[1:-1], [(0, 0)] * (x.ndim - 2)
    if padding == "same":
        pads = reference.same_padding(sizes, window, strides)
    if any(n + sum(pair) < k for n, pair, k in zip(sizes, pads, window, strict=True)):
        return None
    if not _pays(math.prod(x.shape), x.shape[-1]):
        return None
    flat = x.ndim == 3
    (before, after) = zip(*pads, strict=True)
    return Windows(
        size=(*((1,) if flat else ()), *sizes),
        window=(*((1,) if flat else ()), *window),
        strides=(*((1,) if flat else ()), *strides),
        before=(*((0,) if flat else ()), *before),
        after=(*((0,) if flat else ()), *after),
    )


def _pays(size: int, channels: int) -> bool:
    """Whether native pooling beats XLA's, by the size of the input.

    Measured on two AVX-512 cores. Fewer channels than half a register leave little to do at once.
    With more, windows that overlap are 1.5 to 3 times as fast forward and 2 to 9 with the gradient,
    in bfloat16 5 to 60. Side by side in float32 both are as fast as memory.
    """
    return size >= MIN_SIZE and channels >= MIN_CHANNELS


def _image(x: jax.Array) -> jax.Array:
    return x if x.ndim == 4 else x[:, None]
