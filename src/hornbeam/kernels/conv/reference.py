"""Convolution in one, two and three dimensions, channels last, by XLA.

Letters: b batch, s... space (1 to 3 axes), c input channels, f filters, g groups, k... kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.kernels.pool import reference as pool_reference

PaddingPairs = Sequence[tuple[int, int]]
Activation = Literal["relu"] | None


def conv(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """See `conv.conv`."""
    spatial = x.ndim - 2
    if padding == "causal":
        padding = causal_padding(kernel.shape[:spatial], dilation)
    y = lax.conv_general_dilated(
        x,
        kernel,
        window_strides=tuple(strides),
        padding=padding.upper() if isinstance(padding, str) else list(padding),
        rhs_dilation=tuple(dilation),
        dimension_numbers=_dimension_numbers(spatial),
        feature_group_count=x.shape[-1] // kernel.shape[-2],
    )
    y = y if bias is None else y + bias
    return jax.nn.relu(y) if activation == "relu" else y


def conv_max_pool(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None,
    strides: Sequence[int],
    padding: str | PaddingPairs,
    dilation: Sequence[int],
    window: Sequence[int],
) -> jax.Array:
    """See `conv.conv_max_pool`."""
    y = conv(x, kernel, strides, padding, dilation, bias, "relu")
    return pool_reference.max_pool(y, window, window, "valid")


def conv_transpose(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> jax.Array:
    """See `conv.conv_transpose`."""
    spatial = x.ndim - 2
    pads = transpose_padding(x.shape, kernel.shape, strides, padding, output_padding, dilation)
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
    """Return zeros before each axis, none after: (k - 1) * dilation of them."""
    return [((k - 1) * rate, 0) for k, rate in zip(window, dilation, strict=True)]


def transpose_padding(
    shape: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int | None],
    dilation: Sequence[int],
) -> list[tuple[int, int]]:
    """Return how much `conv_transpose` pads each axis of its spread-out input, of that shape."""
    return [
        _transpose_padding(size, k, stride, padding, extra, rate)
        for size, k, stride, extra, rate in zip(
            shape[1:-1], kernel, strides, output_padding, dilation, strict=False
        )
    ]


def _transpose_padding(
    size: int, k: int, stride: int, padding: str, extra: int | None, rate: int
) -> tuple[int, int]:
    """Return how much to pad the stride-dilated input for a plain convolution to compute the result."""
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
    """Return channels-last layouts in XLA's letters, e.g. ("NHWC", "HWIO", "NHWC") in two dimensions."""
    letters = "DHW"[3 - spatial :]
    return f"N{letters}C", f"{letters}IO", f"N{letters}C"
