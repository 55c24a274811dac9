"""Convolution in one, two and three dimensions, channels last.

On CPU one and two dimensions in float32 or bfloat16 are native. There gradients are custom ones:
`jax.grad` may be taken of them again, forward mode (`jax.jvp`) not.

Letters: b batch, s... space (1 to 3 axes), c input channels, f filters, g groups, k... kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import jax
from jax import lax

from hornbeam.core import fusion
from hornbeam.kernels import conv_native, native, pool
from hornbeam.kernels import conv_reference as reference
from hornbeam.kernels.conv_native import Slide
from hornbeam.kernels.conv_reference import Activation, PaddingPairs, causal_padding

# Below, XLA's own convolution is left in place; see `_pays`.
MIN_MULTIPLICATIONS = 10_000


def conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """Cross-correlation, the "convolution" of deep learning; then activation(. + bias).

    x: (b, s..., c), kernel: (k..., c / g, f), bias: (f,) -> (b, s'..., f). The number of groups g is
    what the channels of `x` and `kernel` say. `padding` is "valid", "same", "causal" (pads only
    before, so that step t sees nothing later than t) or explicit pairs. All share one float dtype,
    which is also the result's.
    """
    slide = _slide(x, kernel, bias, strides, padding, dilation)
    if slide is None or not native.suits(x, kernel, bias):
        return reference.conv(x, kernel, strides, padding, dilation, bias, activation)
    y = conv_native.conv(slide, activation == "relu", _image(x), _window(kernel), bias)
    y = y.reshape(y.shape[0], *y.shape[4 - x.ndim + 1 :])
    again = partial(conv, x, kernel, strides, padding, dilation)
    if activation is None and bias is None:
        return fusion.offer(y, bias_add=again, relu=partial(again, None, "relu"))
    if activation is None:
        return fusion.offer(y, relu=partial(again, bias, "relu"))

    def pooled(window: Sequence[int], steps: Sequence[int], pad: str) -> jax.Array | None:
        if pad != "valid" or tuple(window) != (2, 2) or tuple(steps) != (2, 2) or x.ndim != 4:
            return None
        return conv_max_pool(x, kernel, bias, strides, padding, dilation, window)

    return fusion.offer(y, max_pool=pooled)


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """Each channel convolved with its own m filters: one group per channel.

    x: (b, s..., c), kernel: (k..., c, m), bias: (c * m,) -> (b, s'..., c * m); channel i gives
    outputs i * m ... i * m + m - 1.
    """
    *window, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*window, 1, channels * multiplier)
    return conv(x, grouped, strides, padding, dilation, bias, activation)


def conv_max_pool(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
    window: Sequence[int],
) -> jax.Array:
    """The largest element of each window of relu(conv + bias); windows lie side by side.

    As `conv` and `pool.max_pool` ("valid", strides = window) one after the other. Where it is native
    and the window is 2 x 2, what lies between the two is neither kept nor written to memory, nor is
    the part computed that pooling does not read. It offers its `first` rows and columns, to a next
    one that reads no more of them.
    """
    slide = _slide(x, kernel, bias, strides, padding, dilation)
    if slide is not None and x.ndim == 4 and tuple(window) == (2, 2):
        fits = min(slide.outputs(kernel.shape)) >= 2
        if fits and native.suits(x, kernel, bias):
            return _native_pool(slide, x, kernel, bias)
    y = conv(x, kernel, strides, padding, dilation, bias, "relu")
    return pool.max_pool(y, window, window, "valid")


def _native_pool(
    slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None
) -> jax.Array:
    h, w = slide.outputs(kernel.shape)
    used = slide.first(kernel.shape, (h // 2 * 2, w // 2 * 2))
    if used.read != slide.size and (part := fusion.taken(x, "first", *used.read)) is not None:
        top, left, bottom, right = used.padding
        padding = top, left, max(bottom, 0), max(right, 0)
        slide, x = used._replace(size=used.read, padding=padding), part

    def first(rows: int, columns: int) -> jax.Array:
        return _native_pool(slide.first(kernel.shape, (2 * rows, 2 * columns)), x, kernel, bias)

    return fusion.offer(conv_native.conv_max_pool(slide, x, kernel, bias), first=first)


def conv_transpose(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> jax.Array:
    """The gradient of `conv` with regard to its input, used as a layer ("deconvolution").

    x: (b, s..., c), kernel: (k..., f, c) -> (b, s'..., f). Along one axis, with d the dilated size
    of the kernel, s' is s * stride ("same") or s * stride + max(d - stride, 0) ("valid"). With an
    `output_padding` it is (s - 1) * stride + d - 2 * pad + output_padding, where pad is d // 2
    ("same") or 0.
    """
    slide = _transposed_slide(x, kernel, strides, padding, output_padding, dilation)
    if slide is None or not native.suits(x, kernel):
        return reference.conv_transpose(x, kernel, strides, padding, output_padding, dilation)
    y = conv_native.conv_transpose(slide, _image(x), _window(kernel))
    return y if x.ndim == 4 else y[:, 0]


def _transposed_slide(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> Slide | None:
    """How the convolution slides that takes the result of a `conv_transpose` to its argument."""
    if not 3 <= x.ndim <= 4 or kernel.ndim != x.ndim or 0 in (*x.shape[1:], *kernel.shape):
        return None
    if x.shape[-1] != kernel.shape[-1]:
        return None
    sizes, pads = [], []
    axes = zip(x.shape[1:-1], kernel.shape, strides, dilation, strict=False)
    around = reference.transpose_padding(
        x.shape, kernel.shape, strides, padding, output_padding, dilation
    )
    for (n, k, stride, rate), (before, after) in zip(axes, around, strict=True):
        reach = (k - 1) * rate
        size = (n - 1) * stride + 1 + before + after - reach
        rest = (n - 1) * stride + 1 + before - size  # below 0 where x doesn't reach the end
        sizes.append(size)
        pads.append((reach - before, max(rest, 0)))
    image = jax.ShapeDtypeStruct((x.shape[0], *sizes, kernel.shape[-2]), x.dtype)
    slide = _slide(image, kernel, None, strides, pads, dilation) if min(sizes) > 0 else None
    if slide is None or slide.outputs(_window(kernel).shape) != _pair(x.shape[1:-1], 1):
        return None
    return slide


def _slide(
    x: jax.Array | jax.ShapeDtypeStruct,
    kernel: jax.Array,
    bias: jax.Array | None,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
) -> Slide | None:
    """How the native kernels slide; None where they don't, or where the reference says what is wrong."""
    if not 3 <= x.ndim <= 4 or kernel.ndim != x.ndim or 0 in (*x.shape[1:], *kernel.shape):
        return None
    channels, (inputs, filters) = x.shape[-1], kernel.shape[-2:]
    if channels % inputs or filters % (channels // inputs):
        return None
    if bias is not None and bias.shape != (filters,):
        return None
    sizes, window = x.shape[1:-1], kernel.shape[:-2]
    dilated = [(k - 1) * rate + 1 for k, rate in zip(window, dilation, strict=True)]
    if padding == "causal":
        pads = causal_padding(window, dilation)
    elif isinstance(padding, str):
        pads = lax.padtype_to_pads(sizes, dilated, strides, padding.upper())
    else:
        pads = padding
    if any(not 0 <= pad < k for pair, k in zip(pads, dilated, strict=True) for pad in pair):
        return None  # a window in the padding alone, or a crop
    if any(n + sum(pair) < k for n, pair, k in zip(sizes, pads, dilated, strict=True)):
        return None
    slide = Slide(
        size=_pair(sizes, 1),
        strides=_pair(strides, 1),
        dilation=_pair(dilation, 1),
        padding=(
            *_pair([before for before, _ in pads], 0),
            *_pair([after for _, after in pads], 0),
        ),
    )
    places = x.shape[0] * math.prod(slide.outputs((*_pair(window, 1), inputs, filters)))
    return slide if _pays(places * kernel.size) else None


def _pays(multiplications: int) -> bool:
    """Whether the native convolution beats XLA's.

    Measured on two AVX-512 cores. Below ten thousand multiplications both take the few microseconds
    that a program takes to start. Just above, native is even to twice as fast; from a million on
    1.1 to 7 times forward and 1.5 to 10 with gradients, which XLA computes 40 times slower at large
    batches and inside loops; depthwise 80 to 200 times.
    """
    return multiplications >= MIN_MULTIPLICATIONS


def _pair(numbers: Sequence[int], filler: int) -> tuple[int, int]:
    """One number per axis of an image; one dimension is an image of height 1."""
    first, second = numbers if len(numbers) == 2 else (filler, *numbers)
    return int(first), int(second)


def _image(x: jax.Array) -> jax.Array:
    return x if x.ndim == 4 else x[:, None]


def _window(kernel: jax.Array) -> jax.Array:
    return kernel if kernel.ndim == 4 else kernel[None]
