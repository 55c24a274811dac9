"""Max and average pooling over any number of spatial axes, channels last.

On CPU one and two dimensions in float32 or bfloat16 are native. There gradients are custom ones:
`jax.grad` may be taken of them again, forward mode (`jax.jvp`) not.

Letters: b batch, s... space, c channels, k... window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax

from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.native import suits
from hornbeam.kernels.pool import native, reference
from hornbeam.kernels.pool.native import Windows

# Below any of them, XLA's own pooling is left in place; see `pays`.
MIN_SIZE = 2048
MIN_CHANNELS = 8


def max_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """Return the largest element of each window; (b, s..., c) -> (b, s'..., c).

    `padding` is "valid" or "same"; padded places never win. Where several elements of a window are
    equally large the gradient goes to the first of them in row-major order, as in XLA's
    `reduce_window` and TensorFlow, not in equal parts to all.
    """
    return MAX_POOL(x, window, strides, padding)


def average_pool(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> jax.Array:
    """Return the mean of each window; (b, s..., c) -> (b, s'..., c).

    With "same" padding the divisor is the number of real elements in the window: padding does not
    pull the mean towards zero.
    """
    return AVERAGE_POOL(x, window, strides, padding)


def _native(
    run: Callable[[Windows, jax.Array], jax.Array],
) -> Callable[[jax.Array, Sequence[int], Sequence[int], str], jax.Array]:
    def pool(
        x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
    ) -> jax.Array:
        windows = _windows(x, window, strides, padding)
        assert windows is not None
        y = run(windows, x if x.ndim == 4 else x[:, None])
        return y if x.ndim == 4 else y[:, 0]

    return pool


def _suits(x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str) -> bool:
    return suits(x) and _windows(x, window, strides, padding) is not None


def _pays(x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str) -> bool:
    return pays(math.prod(x.shape), x.shape[-1])


def _windows(
    x: jax.Array, window: Sequence[int], strides: Sequence[int], padding: str
) -> Windows | None:
    """Return the windows as the native kernels want them; None where those don't compute them."""
    if not 3 <= x.ndim <= 4 or 0 in x.shape[1:] or math.prod(window) > reference.MAX_TAPS:
        return None
    sizes, pads = x.shape[1:-1], [(0, 0)] * (x.ndim - 2)
    if padding == "same":
        pads = reference.same_padding(sizes, window, strides)
    if any(n + sum(pair) < k for n, pair, k in zip(sizes, pads, window, strict=True)):
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


def pays(size: int, channels: int) -> bool:
    """Return whether native pooling beats XLA's, by the size of the input.

    Measured on two AVX-512 cores. Fewer channels than half a register leave little to do at once.
    With more, windows that overlap are 1.5 to 3 times as fast forward and 2 to 9 with the gradient,
    in bfloat16 5 to 60. Side by side in float32 both are as fast as memory.
    """
    return size >= MIN_SIZE and channels >= MIN_CHANNELS


MAX_POOL = Kernel(reference.max_pool, _native(native.max_pool), _suits, _pays)
AVERAGE_POOL = Kernel(reference.average_pool, _native(native.average_pool), _suits, _pays)
