"""The native draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.kernels import native
from hornbeam.kernels.bernoulli import reference


def bernoulli(key: jax.Array, probability: float, shape: tuple[int, ...]) -> jax.Array:
    """See `bernoulli.bernoulli`."""
    return _kernel(probability, tuple(shape))(jax.random.key_data(key))


@lru_cache(maxsize=256)
def _kernel(probability: float, shape: tuple[int, ...]) -> Callable[[jax.Array], jax.Array]:
    # JAX compares the upper 23 bits, as a fraction, with the probability in float32.
    limit = math.ceil(float(np.float32(probability)) * 2**23)
    result = jax.ShapeDtypeStruct(shape, jnp.bool_)

    def call(data: jax.Array) -> jax.Array:
        return native.call("bernoulli", result, data, limit=limit)

    return native.transformable(call, partial(reference.from_data, probability, shape))
