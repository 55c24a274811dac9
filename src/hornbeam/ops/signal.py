"""Fourier transforms and windows over time. Complex numbers are pairs (real part, imaginary part), as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import linear_transpose, pad
from hornbeam.core.op import op
from hornbeam.core.tree import is_nested
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops.common import complex_of, inexact

__all__ = [
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "psnr",
    "rfft",
    "stft",
]

Pair: TypeAlias = "tuple[TensorLike, TensorLike] | Sequence[TensorLike]"


def _complex(x: Pair) -> jax.Array:
    if not is_nested(x) or len(x) != 2:
        raise ValueError(
            f"Expected a pair (real part, imaginary part); received {type(x).__name__}."
        )
    return complex_of(*x)


def _pair(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.real(x), jnp.imag(x)


@op
def fft(x: Pair) -> tuple[jax.Array, jax.Array]:
    """Return the discrete Fourier transform along the last axis, sum over t of x[t] e^(-2 pi i k t / n).

    >>> from hornbeam.keras import ops
    >>> real, imaginary = ops.fft(([0.0, 1.0], [0.0, 0.0]))
    >>> print(real.numpy())
    [ 1. -1.]
    """
    return _pair(jnp.fft.fft(_complex(x)))


@op
def fft2(x: Pair) -> tuple[jax.Array, jax.Array]:
    """Return the discrete Fourier transform along the last two axes."""
    return _pair(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x: Pair) -> tuple[jax.Array, jax.Array]:
    """Return the inverse of `fft2`."""
    return _pair(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[jax.Array, jax.Array]:
    """Return the first n / 2 + 1 terms of the Fourier transform of a real signal along the last axis."""
    return _pair(jnp.fft.rfft(inexact(x), n=fft_length))


@op
def irfft(x: Pair, fft_length: int | None = None) -> jax.Array:
    """Return the real signal of n points whose `rfft` is x; n is 2 (terms - 1) by default."""
    return jnp.fft.irfft(_complex(x), n=fft_length)


@op
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> jax.Array:
    """Return windows of the last axis: (..., n) -> (..., 1 + (n - length) // stride, length)

    >>> from hornbeam.keras import ops
    >>> print(ops.extract_sequences([1, 2, 3, 4, 5, 6], 3, 2).numpy())
    [[1 2 3]
     [3 4 5]]
    """
    x = jnp.asarray(x)
    count = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    start = jnp.arange(count)[:, None] * sequence_stride
    return jnp.take(x, start + jnp.arange(sequence_length), axis=-1)


@op
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: TensorLike | str | None = "hann",
    center: bool = True,
) -> tuple[jax.Array, jax.Array]:
    """Return the Fourier transform of short windows: (..., n) -> two of (..., windows, fft_length / 2 + 1)

    `window` is "hann", "hamming", a tensor of `sequence_length` points, or None. With `center` the
    signal is reflected at its ends, so that window t lies around place t * sequence_stride.
    """
    x = inexact(x)
    if center:
        pads = [(0, 0)] * (x.ndim - 1) + [(fft_length // 2, fft_length // 2)]
        x = pad(x, pads, mode="reflect")
    weights = _centred(_window(window, sequence_length, x.dtype), fft_length)
    frames = extract_sequences.raw(x, fft_length, sequence_stride)
    return _pair(jnp.fft.rfft(frames * weights))


@op
def istft(
    x: Pair,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: TensorLike | str | None = "hann",
    center: bool = True,
) -> jax.Array:
    """Return the signal whose `stft` is x: windows transformed back, weighted, summed where they overlap.

    `length` cuts or fills the result to so many points.
    """
    frames = jnp.fft.irfft(_complex(x), n=fft_length)
    weights = _centred(_window(window, sequence_length, frames.dtype), fft_length)
    size = fft_length + (frames.shape[-2] - 1) * sequence_stride

    def overlap(parts: jax.Array) -> jax.Array:
        shape = jax.ShapeDtypeStruct((*parts.shape[:-2], size), parts.dtype)
        cut = partial(
            extract_sequences.raw, sequence_length=fft_length, sequence_stride=sequence_stride
        )
        return linear_transpose(cut, shape)(parts)[0]

    total = overlap(frames * weights)
    power = overlap(jnp.broadcast_to(jnp.square(weights), frames.shape[-2:]))
    signal = total / jnp.where(power > 1e-10, power, 1)
    start = fft_length // 2 if center else 0
    stop = size - (fft_length // 2 if center and length is None else 0)
    if length is None:
        return signal[..., start:stop]
    signal = signal[..., start : start + length]
    missing = length - signal.shape[-1]
    return pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, missing)])


def _window(window: TensorLike | str | None, length: int, dtype: DTypeLike) -> jax.Array:
    """Return the weights; Hann and Hamming are periodic: of length + 1 points, the last left out."""
    if window is None:
        return jnp.ones((length,), dtype)
    if isinstance(window, str):
        makers = {"hann": jnp.hanning, "hamming": jnp.hamming}
        if window not in makers:
            raise ValueError(
                f"`window` is 'hann', 'hamming', a tensor or None; received {window!r}."
            )
        return makers[window](length + 1)[:-1].astype(dtype)
    weights = jnp.asarray(window, dtype)
    if weights.shape != (length,):
        raise ValueError(f"`window` must have shape ({length},); received {weights.shape}.")
    return weights


def _centred(weights: jax.Array, length: int) -> jax.Array:
    before = (length - weights.shape[0]) // 2
    return pad(weights, (before, length - weights.shape[0] - before))


@op
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> jax.Array:
    """Return the peak signal-to-noise ratio in dB, 10 log10(max_val^2 / mean((x1 - x2)^2))"""
    error = jnp.mean(jnp.square(inexact(x1) - inexact(x2)))
    return 20 * jnp.log10(jnp.asarray(max_val, error.dtype)) - 10 * jnp.log10(error)
