"""Images and other spaces enlarged."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import resize
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array

# Keras's names, and those of `jax.image.resize`.
METHODS = {
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


@op
def upsample(
    x: TensorLike, factors: tuple[int, ...], data_format: str, interpolation: str = "nearest"
) -> jax.Array:
    """Enlarge each spatial axis by its factor."""
    x = array(x)
    first = 1 if data_format == "channels_last" else 2
    if interpolation != "nearest":
        shape = list(x.shape)
        for axis, factor in enumerate(factors, start=first):
            shape[axis] *= factor
        return resize(x, shape, METHODS[interpolation], antialias=False)
    for axis, factor in enumerate(factors, start=first):
        x = jnp.repeat(x, factor, axis=axis)
    return x
