"""How the window of a convolution moves over an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jax import lax

from hornbeam.kernels.conv import reference
from hornbeam.kernels.conv.reference import PaddingPairs, causal_padding
from hornbeam.kernels.native import Attribute


class Slide(NamedTuple):
    """How the window moves; (rows, columns)."""

    size: tuple[int, int]  # of x
    strides: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int, int, int]  # top, left, bottom, right; the last two below 0: not read

    @property
    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        top, left, bottom, right = self.padding
        return (top, bottom), (left, right)

    @property
    def attributes(self) -> dict[str, Attribute]:
        return {
            "strides": np.array(self.strides, np.int64),
            "dilation": np.array(self.dilation, np.int64),
            "padding": np.array(self.pads, np.int64).reshape(-1),
        }

    def outputs(self, kernel: Sequence[int]) -> tuple[int, int]:
        """Return h', w'"""
        h, w = (
            (n + sum(pair) - (k - 1) * rate - 1) // stride + 1
            for n, pair, k, rate, stride in zip(
                self.size, self.pads, kernel[:2], self.dilation, self.strides, strict=True
            )
        )
        return h, w

    def first(self, kernel: Sequence[int], outputs: Sequence[int]) -> Slide:
        """Return the slide over the first so many rows and columns of outputs."""
        top, left, *_ = self.padding
        ends = (
            (n - 1) * stride + (k - 1) * rate + 1 - before - size
            for n, stride, k, rate, before, size in zip(
                outputs,
                self.strides,
                kernel[:2],
                self.dilation,
                (top, left),
                self.size,
                strict=True,
            )
        )
        return self._replace(padding=(top, left, *ends))

    @property
    def read(self) -> tuple[int, int]:
        """How many rows and columns of x it reads."""
        _, _, bottom, right = self.padding
        return self.size[0] + min(bottom, 0), self.size[1] + min(right, 0)

    def conv(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """Convolve by the reference."""
        return reference.conv(x, kernel, self.strides, self.pads, self.dilation)


def slide_of(
    x: jax.Array | jax.ShapeDtypeStruct,
    kernel: jax.Array,
    bias: jax.Array | None,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
) -> Slide | None:
    """Return how the native kernels slide; None where they don't, or where the reference says what is wrong."""
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
    return Slide(
        size=as_pair(sizes, 1),
        strides=as_pair(strides, 1),
        dilation=as_pair(dilation, 1),
        padding=(
            *as_pair([before for before, _ in pads], 0),
            *as_pair([after for _, after in pads], 0),
        ),
    )


def transposed_slide_of(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> Slide | None:
    """Return how the convolution slides of which a `conv_transpose` is the transpose; None as in `slide_of`."""
    if not 3 <= x.ndim <= 4 or kernel.ndim != x.ndim or 0 in (*x.shape[1:], *kernel.shape):
        return None
    if x.shape[-1] != kernel.shape[-1]:
        return None
    sizes: list[int] = []
    pads: list[tuple[int, int]] = []
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
    slide = slide_of(image, kernel, None, strides, pads, dilation) if min(sizes) > 0 else None
    if slide is None or slide.outputs(
        (*as_pair(kernel.shape[:-2], 1), *kernel.shape[-2:])
    ) != as_pair(x.shape[1:-1], 1):
        return None
    return slide


def as_pair(numbers: Sequence[int], filler: int) -> tuple[int, int]:
    """Return one number for each axis of an image; one dimension is an image of height 1."""
    first, second = numbers if len(numbers) == 2 else (filler, *numbers)
    return int(first), int(second)
