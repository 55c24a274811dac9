"""Convolution in one, two and three dimensions, channels last.

Letters: b batch, s... space (1 to 3 axes), c input channels, f filters, g groups, k... kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

PaddingPairs = Sequence[tuple[int, int]]


def conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
) -> jax.Array:
    """Cross-correlation, the "convolution" of deep learning.

    x: (b, s..., c), kernel: (k..., c / g, f) -> (b, s'..., f). The number of groups g is what the
    channels of `x` and `kernel` say. `padding` is "valid", "same", "causal" (pads only before, so
    that step t sees nothing later than t) or explicit pairs. x and kernel share one float dtype,
    which is also the result's.
    """
    spatial = x.ndim - 2
    if padding == "causal":
        padding = causal_padding(kernel.shape[:spatial], dilation)
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=tuple(strides),
        padding=padding.upper() if isinstance(padding, str) else list(padding),
        rhs_dilation=tuple(dilation),
        dimension_numbers=_dimension_numbers(spatial),
        feature_group_count=x.shape[-1] // kernel.shape[-2],
    )


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
) -> jax.Array:
    """Each channel convolved with its own m filters: one group per channel.

    x: (b, s..., c), kernel: (k..., c, m) -> (b, s'..., c * m); channel i gives outputs
    i * m ... i * m + m - 1.
    """
    *window, channels, multiplier = kernel.shape
    grouped = kernel.reshape(*window, 1, channels * multiplier)
    return conv(x, grouped, strides, padding, dilation)


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
    spatial = x.ndim - 2
    pads = [
        _transpose_padding(size, k, stride, padding, extra, rate)
        for size, k, stride, extra, rate in zip(
            x.shape[1:-1], kernel.shape, strides, output_padding, dilation, strict=False
        )
    ]
    flipped = jnp.flip(kernel, axis=tuple(range(spatial)))
    return lax.conv_general_dilated(
        x,
        jnp.swapaxes(flipped, -1, -2),
        window_strides=(1,) * spatial,
        padding=pads,
        lhs_dilation=tuple(strides),
        rhs_dilation=tuple(dilation),
        dimension_numbers=_dimension_numbers(spatial),
    )


def causal_padding(window: Sequence[int], dilation: Sequence[int]) -> list[tuple[int, int]]:
    """Zeros before each axis, none after: (k - 1) * dilation of them."""
    return [((k - 1) * rate, 0) for k, rate in zip(window, dilation, strict=True)]


def _transpose_padding(
    size: int, k: int, stride: int, padding: str, extra: int | None, rate: int
) -> tuple[int, int]:
    """How much to pad the stride-dilated input so that a plain convolution gives the result."""
    dilated = (k - 1) * rate + 1
    spread = (size - 1) * stride + 1
    if extra is not None:
        length = spread - 1 + dilated - (2 * (dilated // 2) if padding == "same" else 0) + extra
    elif padding == "same":
        length = size * stride
    else:
        length = size * stride + max(dilated - stride, 0)
    uncut = spread - 1 + dilated
    cut = max(uncut - length, 0) // 2 if padding == "same" else 0
    before = dilated - 1 - cut
    return before, length - spread - before + dilated - 1


def _dimension_numbers(spatial: int) -> tuple[str, str, str]:
    """Channels-last layouts in XLA's letters, e.g. ("NHWC", "HWIO", "NHWC") in two dimensions."""
    letters = "DHW"[3 - spatial :]
    return f"N{letters}C", f"{letters}IO", f"N{letters}C"
