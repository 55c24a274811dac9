"""The draws of `jax.random.bernoulli`."""

from __future__ import annotations

import jax

from hornbeam.core.jax_typed import wrap_key_data


def bernoulli(key: jax.Array, probability: float, shape: tuple[int, ...]) -> jax.Array:
    """See `bernoulli.bernoulli`."""
    return jax.random.bernoulli(key, probability, shape)


def from_data(probability: float, shape: tuple[int, ...], data: jax.Array) -> jax.Array:
    """Draw by the data of a key."""
    return bernoulli(wrap_key_data(data, impl="threefry2x32"), probability, shape)
