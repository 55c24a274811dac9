"""Normalisation in jax.numpy: what the native kernels are compared with, and used instead of them."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def wide(x: jax.Array) -> jax.Array:
    """In float32 at least."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def moments(x: jax.Array, axis: int | tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """The mean and the variance over axes, in float32 at least."""
    x = wide(x)
    mean = jnp.mean(x, axis=axis, keepdims=True)
    return jnp.squeeze(mean, axis=axis), jnp.mean(jnp.square(x - mean), axis=axis)


def batch_normalization(
    x: jax.Array,
    mean: jax.Array,
    variance: jax.Array,
    gamma: jax.Array,
    beta: jax.Array,
    epsilon: float,
) -> jax.Array:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, as wide as the vectors are."""
    return (wide(x) - mean) * (jax.lax.rsqrt(variance + epsilon) * gamma) + beta


def scale_and_shift(x: jax.Array, factor: jax.Array, shift: jax.Array) -> jax.Array:
    """x * factor + shift, in the type of x."""
    return (x * factor + shift).astype(x.dtype)


def channel_products(x: jax.Array, dy: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The sums of dy and of x * dy over the rows."""
    return jnp.sum(wide(dy), axis=0), jnp.sum(wide(x) * wide(dy), axis=0)


def layer_normalization(
    x: jax.Array, gamma: jax.Array, beta: jax.Array, epsilon: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """y, and of each row the mean and 1 / sqrt(variance + epsilon)."""
    given, x = x, wide(x)
    mean = jnp.mean(x, axis=-1, keepdims=True)
    centred = x - mean
    factor = jax.lax.rsqrt(jnp.mean(jnp.square(centred), axis=-1, keepdims=True) + epsilon)
    y = (centred * (factor * gamma) + beta).astype(given.dtype)
    return y, jnp.squeeze(mean, -1), jnp.squeeze(factor, -1)
