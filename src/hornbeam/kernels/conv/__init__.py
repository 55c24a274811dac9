"""Convolution in one, two and three dimensions, channels last.

On CPU one and two dimensions in float32 or bfloat16 are native. There gradients are custom ones:
`jax.grad` may be taken of them again, forward mode (`jax.jvp`) not.

Letters: b batch, s... space (1 to 3 axes), c input channels, f filters, g groups, k... kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import jax

from hornbeam.core import fusion
from hornbeam.kernels import pool
from hornbeam.kernels.conv import native, reference
from hornbeam.kernels.conv.reference import Activation, PaddingPairs
from hornbeam.kernels.conv.slide import Slide, slide_of, transposed_slide_of
from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.native import suits

# Below, XLA's own convolution is left in place; see `pays`.
MIN_MULTIPLICATIONS = 10_000

Padding = str | PaddingPairs


def conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """Return the cross-correlation, the "convolution" of deep learning; then activation(. + bias).

    x: (b, s..., c), kernel: (k..., c / g, f), bias: (f,) -> (b, s'..., f). The number of groups g is
    what the channels of `x` and `kernel` say. `padding` is "valid", "same", "causal" (pads only
    before, so that step t sees nothing later than t) or explicit pairs. All share one float dtype,
    which is also the result's.
    """
    return CONV(_Call(x, kernel, bias, strides, padding, dilation), activation)


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """Convolve each channel with its own m filters: one group per channel.

    x: (b, s..., c), kernel: (k..., c, m), bias: (c * m,) -> (b, s'..., c * m); channel i makes
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
    padding: Padding,
    dilation: Sequence[int],
    window: Sequence[int],
) -> jax.Array:
    """Return the largest element of each window of relu(conv + bias); windows lie side by side.

    As `conv` and `pool.max_pool` ("valid", strides = window) one after the other. Where it is native
    and the window is 2 x 2, what lies between the two is neither kept nor written to memory, nor is
    the part computed that pooling does not read. It offers its `first` rows and columns, to a next
    one that reads no more of them.
    """
    return CONV_MAX_POOL(_Call(x, kernel, bias, strides, padding, dilation), window)


def conv_transpose(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> jax.Array:
    """Return the gradient of `conv` with regard to its input, used as a layer ("deconvolution").

    x: (b, s..., c), kernel: (k..., f, c) -> (b, s'..., f). Along one axis, with d the dilated size
    of the kernel, s' is s * stride ("same") or s * stride + max(d - stride, 0) ("valid"). With an
    `output_padding` it is (s - 1) * stride + d - 2 * pad + output_padding, where pad is d // 2
    ("same") or 0.
    """
    call = _Call(x, kernel, None, strides, padding, dilation)
    return CONV_TRANSPOSE(call, padding, output_padding)


def pays(multiplications: int) -> bool:
    """Return whether the native convolution beats XLA's.

    Measured on two AVX-512 cores. Below ten thousand multiplications both take the few microseconds
    that a program takes to start. Just above, native is even to twice as fast; from a million on
    1.1 to 7 times forward and 1.5 to 10 with gradients, which XLA computes 40 times slower at large
    batches and inside loops; depthwise 80 to 200 times.
    """
    return multiplications >= MIN_MULTIPLICATIONS


@dataclass(frozen=True)
class _Call:
    """The arguments that all convolutions share."""

    x: jax.Array
    kernel: jax.Array
    bias: jax.Array | None
    strides: Sequence[int]
    padding: Padding
    dilation: Sequence[int]

    @cached_property
    def slide(self) -> Slide | None:
        """How the native kernels slide, if they do."""
        return slide_of(self.x, self.kernel, self.bias, self.strides, self.padding, self.dilation)

    @property
    def image(self) -> jax.Array:
        """x in two dimensions."""
        return self.x if self.x.ndim == 4 else self.x[:, None]

    @property
    def window(self) -> jax.Array:
        """The kernel in two dimensions."""
        return self.kernel if self.kernel.ndim == 4 else self.kernel[None]

    def pays(self, slide: Slide | None) -> bool:
        """Return whether it pays to slide so."""
        assert slide is not None
        places = self.x.shape[0] * math.prod(slide.outputs(self.window.shape))
        return pays(places * self.kernel.size)


# ------------------------------------------------------------------------------------ convolution


def _conv_reference(call: _Call, activation: Activation) -> jax.Array:
    x, kernel, strides, padding, dilation = (
        call.x,
        call.kernel,
        call.strides,
        call.padding,
        call.dilation,
    )
    return reference.conv(x, kernel, strides, padding, dilation, call.bias, activation)


def _conv_native(call: _Call, activation: Activation) -> jax.Array:
    assert call.slide is not None
    x, bias = call.x, call.bias
    y = native.conv(call.slide, activation == "relu", call.image, call.window, bias)
    y = y.reshape(y.shape[0], *y.shape[4 - x.ndim + 1 :])
    again = partial(conv, x, call.kernel, call.strides, call.padding, call.dilation)
    if activation is None and bias is None:

        def added(other: jax.Array) -> jax.Array | None:  # y + bias, as much code is written
            # Of x's type, as y is: an offer that held y itself would keep it for ever.
            is_bias = other.shape == call.kernel.shape[-1:] and other.dtype == call.x.dtype
            return again(other) if is_bias else None

        return fusion.offer(
            y, fusion.BiasAdd(again), fusion.Add(added), fusion.Relu(partial(again, None, "relu"))
        )
    if activation is None:
        return fusion.offer(y, fusion.Relu(partial(again, bias, "relu")))

    def pooled(window: Sequence[int], steps: Sequence[int], pad: str) -> jax.Array | None:
        if pad != "valid" or tuple(window) != (2, 2) or tuple(steps) != (2, 2) or x.ndim != 4:
            return None
        return CONV_MAX_POOL(call, window)

    return fusion.offer(y, fusion.MaxPool(pooled))


def _conv_suits(call: _Call, activation: Activation) -> bool:
    return suits(call.x, call.kernel, call.bias) and call.slide is not None


def _conv_pays(call: _Call, activation: Activation) -> bool:
    return call.pays(call.slide)


CONV = Kernel(_conv_reference, _conv_native, _conv_suits, _conv_pays)


# ------------------------------------------------------------ convolution, relu and 2 x 2 pooling


def _pool_apart(call: _Call, window: Sequence[int]) -> jax.Array:
    return pool.max_pool(CONV(call, "relu"), window, window, "valid")


def _pool_native(call: _Call, window: Sequence[int]) -> jax.Array:
    assert call.slide is not None
    return _pool_by(call.slide, call.x, call.kernel, call.bias)


def _pool_by(slide: Slide, x: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    h, w = slide.outputs(kernel.shape)
    used = slide.first(kernel.shape, (h // 2 * 2, w // 2 * 2))
    if used.read != slide.size and (part := fusion.offered(x, fusion.First)) is not None:
        top, left, bottom, right = used.padding
        padding = top, left, max(bottom, 0), max(right, 0)
        slide, x = used._replace(size=used.read, padding=padding), part.compute(*used.read)

    def first(rows: int, columns: int) -> jax.Array:
        return _pool_by(slide.first(kernel.shape, (2 * rows, 2 * columns)), x, kernel, bias)

    return fusion.offer(native.conv_max_pool(slide, x, kernel, bias), fusion.First(first))


def _pool_suits(call: _Call, window: Sequence[int]) -> bool:
    if not suits(call.x, call.kernel, call.bias) or call.x.ndim != 4 or tuple(window) != (2, 2):
        return False
    return call.slide is not None and min(call.slide.outputs(call.kernel.shape)) >= 2


def _pool_pays(call: _Call, window: Sequence[int]) -> bool:
    return call.pays(call.slide)


CONV_MAX_POOL = Kernel(_pool_apart, _pool_native, _pool_suits, _pool_pays)


# --------------------------------------------------------------------------- transposed convolution

OutputPadding = Sequence[int | None]


def _transpose_reference(call: _Call, padding: str, extra: OutputPadding) -> jax.Array:
    return reference.conv_transpose(
        call.x, call.kernel, call.strides, padding, extra, call.dilation
    )


def _transposed_slide(call: _Call, padding: str, extra: OutputPadding) -> Slide | None:
    return transposed_slide_of(call.x, call.kernel, call.strides, padding, extra, call.dilation)


def _transpose_native(call: _Call, padding: str, extra: OutputPadding) -> jax.Array:
    slide = _transposed_slide(call, padding, extra)
    assert slide is not None
    y = native.conv_transpose(slide, call.image, call.window)
    return y if call.x.ndim == 4 else y[:, 0]


def _transpose_suits(call: _Call, padding: str, extra: OutputPadding) -> bool:
    return suits(call.x, call.kernel) and _transposed_slide(call, padding, extra) is not None


def _transpose_pays(call: _Call, padding: str, extra: OutputPadding) -> bool:
    return call.pays(_transposed_slide(call, padding, extra))


CONV_TRANSPOSE = Kernel(_transpose_reference, _transpose_native, _transpose_suits, _transpose_pays)
