"""Fourier transforms over several axes of complex tensors, as TensorFlow has them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array

Sizes = Sequence[int]


@op(name="tf.fftnd")
def fftnd(x: TensorLike, sizes: Sizes, axes: Sizes) -> jax.Array:
    """Return the discrete Fourier transform over `axes`, each cut or padded with zeros to its size first."""
    return jnp.fft.fftn(array(x), sizes, axes)


@op(name="tf.ifftnd")
def ifftnd(x: TensorLike, sizes: Sizes, axes: Sizes) -> jax.Array:
    """Return the inverse of `fftnd`."""
    return jnp.fft.ifftn(array(x), sizes, axes)


@op(name="tf.rfftnd")
def rfftnd(x: TensorLike, sizes: Sizes, axes: Sizes) -> jax.Array:
    """Return the transform of real values, without the half of the last axis that the other half determines."""
    return jnp.fft.rfftn(array(x), sizes, axes)


@op(name="tf.irfftnd")
def irfftnd(x: TensorLike, sizes: Sizes, axes: Sizes) -> jax.Array:
    """Return the inverse of `rfftnd`; the sizes are those of the result."""
    return jnp.fft.irfftn(array(x), sizes, axes)
