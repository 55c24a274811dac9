"""Random numbers of a given key, as `tf.random` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand
from hornbeam.core.jax_typed import randint
from hornbeam.core.op import op
from hornbeam.core.typing import DTypeLike, TensorLike


@op(name="tf.random.normal")
def normal_of_key(
    key: jax.Array, shape: Sequence[int], mean: TensorLike, stddev: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw from a normal distribution."""
    return (jax.random.normal(key, shape, dtype) * operand(stddev) + operand(mean)).astype(dtype)


@op(name="tf.random.truncated_normal")
def truncated_normal_of_key(
    key: jax.Array, shape: Sequence[int], mean: TensorLike, stddev: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw from a normal distribution, nothing further than two deviations from its mean."""
    drawn = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return (drawn * operand(stddev) + operand(mean)).astype(dtype)


@op(name="tf.random.uniform")
def uniform_of_key(
    key: jax.Array, shape: Sequence[int], low: TensorLike, high: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw numbers from `low` up to but without `high`."""
    if jnp.issubdtype(dtype, jnp.integer):
        return randint(key, shape, operand(low), operand(high), dtype)
    shares = jax.random.uniform(key, shape, dtype)
    return _between(operand(low), operand(high), shares).astype(dtype)


def _between(low: Any, high: Any, shares: jax.Array) -> jax.Array:
    """Return low + shares * (high - low); the limits may be Python numbers, whose difference is one as well."""
    return low + shares * (high - low)


@op(name="tf.random.gamma")
def gamma_of_key(
    key: jax.Array,
    shape: Sequence[int],
    alpha: TensorLike,
    beta: TensorLike | None,
    dtype: DTypeLike,
) -> jax.Array:
    """Draw from gamma distributions: shape -> (*shape, *alpha.shape)."""
    alpha = jnp.asarray(alpha, dtype)
    drawn = jax.random.gamma(key, alpha, (*shape, *alpha.shape), dtype)
    return drawn if beta is None else drawn / operand(beta)


@op(name="tf.random.poisson")
def poisson_of_key(
    key: jax.Array, shape: Sequence[int], lam: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw counts of Poisson distributions: shape -> (*shape, *lam.shape)."""
    lam = jnp.asarray(lam, "float32")
    return jax.random.poisson(key, lam, (*shape, *lam.shape)).astype(dtype)


@op(name="tf.random.categorical")
def categorical_of_key(
    key: jax.Array, logits: TensorLike, num_samples: int, dtype: DTypeLike
) -> jax.Array:
    """Draw classes with the probabilities softmax(logits): (b, classes) -> (b, num_samples)."""
    logits = jnp.asarray(logits)
    drawn = jax.random.categorical(key, logits[:, None, :], -1, (logits.shape[0], num_samples))
    return drawn.astype(dtype)


@op(name="tf.random.shuffle")
def shuffle_of_key(key: jax.Array, value: TensorLike) -> jax.Array:
    """Return the rows in another order."""
    return jax.random.permutation(key, jnp.asarray(value))
