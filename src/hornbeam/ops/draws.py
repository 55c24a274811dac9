"""Random numbers of a given key, as `tf.random` draws them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.ops.common import TensorLike


@op(name="tf.random.normal")
def normal_of_key(
    key: jax.Array, shape: Any, mean: TensorLike, stddev: TensorLike, dtype: Any
) -> Any:
    """Numbers of a normal distribution."""
    return (jax.random.normal(key, shape, dtype) * stddev + mean).astype(dtype)


@op(name="tf.random.truncated_normal")
def truncated_normal_of_key(
    key: jax.Array, shape: Any, mean: TensorLike, stddev: TensorLike, dtype: Any
) -> Any:
    """Numbers of a normal distribution, none further than two deviations from its mean."""
    drawn = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return (drawn * stddev + mean).astype(dtype)


@op(name="tf.random.uniform")
def uniform_of_key(
    key: jax.Array, shape: Any, low: TensorLike, high: TensorLike, dtype: Any
) -> Any:
    """Numbers from `low` up to but without `high`."""
    if jnp.issubdtype(dtype, jnp.integer):
        return jax.random.randint(key, shape, low, high, dtype)
    return (low + jax.random.uniform(key, shape, dtype) * (high - low)).astype(dtype)


@op(name="tf.random.gamma")
def gamma_of_key(
    key: jax.Array, shape: Any, alpha: TensorLike, beta: TensorLike, dtype: Any
) -> Any:
    """Numbers of gamma distributions: shape -> (*shape, *alpha.shape)."""
    alpha = jnp.asarray(alpha, dtype)
    drawn = jax.random.gamma(key, alpha, (*shape, *alpha.shape), dtype)
    return drawn if beta is None else drawn / beta


@op(name="tf.random.poisson")
def poisson_of_key(key: jax.Array, shape: Any, lam: TensorLike, dtype: Any) -> Any:
    """Counts of Poisson distributions: shape -> (*shape, *lam.shape)."""
    lam = jnp.asarray(lam, "float32")
    return jax.random.poisson(key, lam, (*shape, *lam.shape)).astype(dtype)


@op(name="tf.random.categorical")
def categorical_of_key(key: jax.Array, logits: TensorLike, num_samples: int, dtype: Any) -> Any:
    """Classes drawn with the probabilities softmax(logits): (b, classes) -> (b, num_samples)."""
    logits = jnp.asarray(logits)
    drawn = jax.random.categorical(key, logits[:, None, :], -1, (logits.shape[0], num_samples))
    return drawn.astype(dtype)


@op(name="tf.random.shuffle")
def shuffle_of_key(key: jax.Array, value: TensorLike) -> Any:
    """The rows in another order."""
    return jax.random.permutation(key, jnp.asarray(value))
