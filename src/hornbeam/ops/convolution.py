"""Convolutions in one to three dimensions, and moving blocks of space into channels and back.

Shapes are written channels last, (b, s..., c) with s... the spatial axes; `data_format="channels_first"` takes
(b, c, s...). Numbers that concern spatial axes (strides, dilation_rate, ...) are one integer for all, or one per axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax

from hornbeam.core.config import standardize_data_format
from hornbeam.core.jax_typed import linear_transpose
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import conv as kernels
from hornbeam.ops.common import array, inexact, inexact_pair
from hornbeam.ops.layout import Ints, check_padding, from_channels_last, per_axis, to_channels_last

__all__ = [
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "fold",
    "separable_conv",
    "space_to_depth",
    "unfold",
]


@op
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> jax.Array:
    """Slide the filters of `kernel` over the inputs (cross-correlation).

    inputs: (b, s..., c), kernel: (k..., c / groups, filters) -> (b, s'..., filters). With "same"
    padding s' = ceil(s / stride), with "valid" only whole windows count; "causal" (1D) pads before
    only. The number of groups is what the channels of both say.

    >>> from hornbeam.keras import ops
    >>> x = ops.reshape([1.0, 2.0, 3.0, 4.0], (1, 4, 1))
    >>> print(ops.conv(x, ops.ones((2, 1, 1)))[0, :, 0].numpy())
    [3. 5. 7.]
    """
    x, kernel = _prepare("conv", inputs, kernel, data_format)
    spatial = x.ndim - 2
    if x.shape[-1] % kernel.shape[-2] or kernel.shape[-1] % (x.shape[-1] // kernel.shape[-2]):
        raise ValueError(
            f"`conv` can't divide {x.shape[-1]} input channels and {kernel.shape[-1]} filters into "
            f"groups of {kernel.shape[-2]} input channels (kernel shape {kernel.shape}). The kernel "
            "is (k..., input channels / groups, filters)."
        )
    check_padding("conv", padding, ("valid", "same", "causal") if spatial == 1 else None)
    y = kernels.conv(
        x,
        kernel,
        per_axis("strides", strides, spatial),
        padding,
        per_axis("dilation_rate", dilation_rate, spatial),
    )
    return from_channels_last(y, data_format)


@op
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> jax.Array:
    """Convolve each channel with its own m filters.

    inputs: (b, s..., c), kernel: (k..., c, m) -> (b, s'..., c * m)
    """
    x, kernel = _prepare("depthwise_conv", inputs, kernel, data_format)
    spatial = x.ndim - 2
    if x.shape[-1] != kernel.shape[-2]:
        raise _wrong_channels("depthwise_conv", x, kernel, -2)
    check_padding("depthwise_conv", padding)
    y = kernels.depthwise_conv(
        x,
        kernel,
        per_axis("strides", strides, spatial),
        padding,
        per_axis("dilation_rate", dilation_rate, spatial),
    )
    return from_channels_last(y, data_format)


@op
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Ints = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> jax.Array:
    """Apply `depthwise_conv`, then a 1 x ... x 1 convolution that mixes the channels.

    inputs: (b, s..., c), depthwise_kernel: (k..., c, m), pointwise_kernel: (1..., c * m, filters)
    -> (b, s'..., filters)
    """
    each = depthwise_conv.raw(
        inputs, depthwise_kernel, strides, padding, data_format, dilation_rate
    )
    return conv.raw(each, pointwise_kernel, 1, "valid", data_format)


@op
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Ints = 1,
    padding: str = "valid",
    output_padding: Ints | None = None,
    data_format: str | None = None,
    dilation_rate: Ints = 1,
) -> jax.Array:
    """Apply the transpose of `conv`: from the shape of its outputs to the shape of its inputs.

    inputs: (b, s..., c), kernel: (k..., filters, c) -> (b, s'..., filters), where s' is s * stride
    ("same") or s * stride + max(k - stride, 0) ("valid"); `output_padding` chooses among the sizes
    that a convolution would shrink to s.

    >>> from hornbeam.keras import ops
    >>> ops.conv_transpose(ops.ones((1, 5, 5, 2)), ops.ones((3, 3, 8, 2)), strides=2, padding="same").shape
    TensorShape([1, 10, 10, 8])
    """
    x, kernel = _prepare("conv_transpose", inputs, kernel, data_format)
    spatial = x.ndim - 2
    if x.shape[-1] != kernel.shape[-1]:
        raise _wrong_channels("conv_transpose", x, kernel, -1)
    check_padding("conv_transpose", padding)
    extra: Sequence[int | None] = [None] * spatial
    if output_padding is not None:
        extra = per_axis("output_padding", output_padding, spatial)
    y = kernels.conv_transpose(
        x,
        kernel,
        per_axis("strides", strides, spatial),
        padding,
        extra,
        per_axis("dilation_rate", dilation_rate, spatial),
    )
    return from_channels_last(y, data_format)


@op
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Move blocks of n x n places into channels: (b, h, w, c) -> (b, h / n, w / n, n * n * c)

    With "channels_first" the places are the inner index: (b, c, h, w) -> (b, c * n * n, h / n, w / n).
    """
    x, n = array(x), block_size
    last = standardize_data_format(data_format) == "channels_last"
    (b, h, w, c) = x.shape if last else (x.shape[0], *x.shape[2:], x.shape[1])
    if h % n or w % n:
        raise ValueError(
            f"`space_to_depth` needs height and width divisible by {n}, not {h} x {w}."
        )
    if last:
        blocks = x.reshape(b, h // n, n, w // n, n, c).transpose(0, 1, 3, 2, 4, 5)
        return blocks.reshape(b, h // n, w // n, n * n * c)
    blocks = x.reshape(b, c, h // n, n, w // n, n).transpose(0, 1, 3, 5, 2, 4)
    return blocks.reshape(b, c * n * n, h // n, w // n)


@op
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> jax.Array:
    """Undo `space_to_depth`: (b, h, w, n * n * c) -> (b, h * n, w * n, c)"""
    x, n = array(x), block_size
    last = standardize_data_format(data_format) == "channels_last"
    (b, h, w, c) = x.shape if last else (x.shape[0], *x.shape[2:], x.shape[1])
    if c % (n * n):
        raise ValueError(f"`depth_to_space` needs channels divisible by {n * n}, not {c}.")
    c = c // (n * n)
    if last:
        blocks = x.reshape(b, h, w, n, n, c).transpose(0, 1, 3, 2, 4, 5)
        return blocks.reshape(b, h * n, w * n, c)
    blocks = x.reshape(b, c, n, n, h, w).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(b, c, h * n, w * n)


@op
def unfold(
    x: TensorLike,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> jax.Array:
    """Return every window as a column ("im2col"): (b, c, h, w) -> (b, c * kh * kw, windows)"""
    x = inexact(x)
    columns = jax.lax.conv_general_dilated_patches(
        x,
        per_axis("kernel_size", kernel_size, 2),
        per_axis("stride", stride, 2),
        [(p, p) for p in per_axis("padding", padding, 2)],
        rhs_dilation=per_axis("dilation", dilation, 2),
    )
    return columns.reshape(*columns.shape[:2], math.prod(columns.shape[2:]))


@op
def fold(
    x: TensorLike,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> jax.Array:
    """Apply the transpose of `unfold`, overlaps summed: (b, c * kh * kw, windows) -> (b, c, h, w)"""
    x = inexact(x)
    kh, kw = per_axis("kernel_size", kernel_size, 2)
    if x.ndim != 3 or x.shape[1] % (kh * kw):
        raise ValueError(
            f"`fold` takes (batch, channels * {kh} * {kw}, windows) for the kernel size {kh} x {kw}; received {x.shape}."
        )
    shape = (x.shape[0], x.shape[1] // (kh * kw), *per_axis("output_size", output_size, 2))

    def forward(image: jax.Array) -> jax.Array:
        return unfold.raw(image, kernel_size, dilation, padding, stride)

    return linear_transpose(forward, jax.ShapeDtypeStruct(shape, x.dtype))(x)[0]


def _prepare(
    name: str, inputs: TensorLike, kernel: TensorLike, data_format: str | None
) -> tuple[jax.Array, jax.Array]:
    """Return both as floats of one type, the inputs channels last; raise ValueError where ranks don't fit."""
    x, kernel = inexact_pair(inputs, kernel)
    if not 3 <= x.ndim <= 5 or kernel.ndim != x.ndim:
        raise ValueError(
            f"`{name}` takes inputs of 3 to 5 axes (batch, 1 to 3 spatial axes, channels) and a "
            f"kernel of as many; received inputs of shape {x.shape} and a kernel of shape {kernel.shape}."
        )
    return to_channels_last(x, data_format), kernel


def _wrong_channels(name: str, x: jax.Array, kernel: jax.Array, axis: int) -> ValueError:
    return ValueError(
        f"`{name}` received inputs of {x.shape[-1]} channels, but a kernel for {kernel.shape[axis]} "
        f"(kernel shape {kernel.shape}, its axis {axis})."
    )
