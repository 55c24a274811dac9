"""Fourier transforms over several axes, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops import transforms
from hornbeam.tensors.numbers import known_integers


def fftnd(input: TensorLike, fft_length: Any, axes: Any, name: str | None = None) -> Any:
    """Return the discrete Fourier transform over `axes`, each cut or padded with zeros to its `fft_length` first.

    >>> import hornbeam as tf
    >>> tf.fftnd(tf.complex([1.0, 1.0], [0.0, 0.0]), [2], [0]).numpy()
    array([2.+0.j, 0.+0.j], dtype=complex64)
    """
    return transforms.fftnd(input, known_integers(fft_length), known_integers(axes))


def ifftnd(input: TensorLike, fft_length: Any, axes: Any, name: str | None = None) -> Any:
    """Return the inverse of `fftnd`."""
    return transforms.ifftnd(input, known_integers(fft_length), known_integers(axes))


def rfftnd(
    input: TensorLike,
    fft_length: Any,
    axes: Any,
    Tcomplex: DTypeLike = "complex64",
    name: str | None = None,
) -> Any:
    """Return the transform of real values, without the half of the last axis that the other half determines."""
    found = transforms.rfftnd(input, known_integers(fft_length), known_integers(axes))
    return ops.cast(found, Tcomplex)


def irfftnd(
    input: TensorLike,
    fft_length: Any,
    axes: Any,
    Treal: DTypeLike = "float32",
    name: str | None = None,
) -> Any:
    """Return the inverse of `rfftnd`; the sizes are those of the result."""
    found = transforms.irfftnd(input, known_integers(fft_length), known_integers(axes))
    return ops.cast(found, Treal)
