"""Random tensors. Without a seed each call differs; `set_seed` starts the series anew."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.dtypes import as_dtype, canonical
from hornbeam.core.op import op
from hornbeam.core.rng import SeedGenerator, draw_key
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.tensors.creation import static_shape

Seed = int | SeedGenerator | None


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of a normal distribution.

    >>> import hornbeam as tf
    >>> tf.random.set_seed(1)
    >>> tf.random.normal([2, 3]).shape
    TensorShape([2, 3])
    """
    return _normal(draw_key(seed), static_shape(shape), mean, stddev, canonical(dtype))


@op(name="tf.random.normal")
def _normal(key: jax.Array, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    return (jax.random.normal(key, shape, dtype) * stddev + mean).astype(dtype)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of a normal distribution, none farther than two deviations from the mean."""
    return _truncated_normal(draw_key(seed), static_shape(shape), mean, stddev, canonical(dtype))


@op(name="tf.random.truncated_normal")
def _truncated_normal(key: jax.Array, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Any:
    drawn = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return (drawn * stddev + mean).astype(dtype)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values from `minval` up to but without `maxval` (1 for floats; integers need it)."""
    if maxval is None and as_dtype(dtype).is_integer:
        raise ValueError("Random integers need `maxval`.")
    high = 1.0 if maxval is None else maxval
    return _uniform(draw_key(seed), static_shape(shape), minval, high, canonical(dtype))


@op(name="tf.random.uniform")
def _uniform(key: jax.Array, shape: Any, low: Any, high: Any, dtype: Any) -> Any:
    if jnp.issubdtype(dtype, jnp.integer):
        return jax.random.randint(key, shape, low, high, dtype)
    return (low + jax.random.uniform(key, shape, dtype) * (high - low)).astype(dtype)


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of gamma distributions: `shape` draws for each `alpha` (and rate `beta`)."""
    return _gamma(draw_key(seed), static_shape(shape), alpha, beta, canonical(dtype))


@op(name="tf.random.gamma")
def _gamma(key: jax.Array, shape: Any, alpha: Any, beta: Any, dtype: Any) -> Any:
    alpha = jnp.asarray(alpha, dtype)
    drawn = jax.random.gamma(key, alpha, (*shape, *alpha.shape), dtype)
    return drawn if beta is None else drawn / beta


def poisson(
    shape: Any, lam: Any, dtype: Any = "float32", seed: Seed = None, name: str | None = None
) -> Tensor:
    """Values of Poisson distributions: `shape` draws for each `lam`."""
    return _poisson(draw_key(seed), static_shape(shape), lam, canonical(dtype))


@op(name="tf.random.poisson")
def _poisson(key: jax.Array, shape: Any, lam: Any, dtype: Any) -> Any:
    lam = jnp.asarray(lam, "float32")
    return jax.random.poisson(key, lam, (*shape, *lam.shape)).astype(dtype)


def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: Seed = None, name: str | None = None
) -> Tensor:
    """Classes drawn by unnormalised log-probabilities. (b, c) -> (b, num_samples)"""
    return _categorical(draw_key(seed), logits, int(num_samples), canonical(dtype or "int64"))


@op(name="tf.random.categorical")
def _categorical(key: jax.Array, logits: Any, num_samples: int, dtype: Any) -> Any:
    logits = jnp.asarray(logits)
    drawn = jax.random.categorical(key, logits[:, None, :], -1, (logits.shape[0], num_samples))
    return drawn.astype(dtype)


def shuffle(value: Any, seed: Seed = None, name: str | None = None) -> Tensor:
    """The rows in a random order."""
    return _shuffle(draw_key(seed), value)


@op(name="tf.random.shuffle")
def _shuffle(key: jax.Array, value: Any) -> Any:
    return jax.random.permutation(key, jnp.asarray(value))


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: str | None = None,
    alg: str = "auto_select",
) -> Tensor:
    """Values of a normal distribution; the same `seed` (two integers) gives the same values."""
    return normal(shape, mean, stddev, dtype, _pair(seed))


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: str | None = None,
    alg: str = "auto_select",
) -> Tensor:
    """As `truncated_normal`; the same `seed` (two integers) gives the same values."""
    return truncated_normal(shape, mean, stddev, dtype, _pair(seed))


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    name: str | None = None,
    alg: str = "auto_select",
) -> Tensor:
    """As `uniform`; the same `seed` (two integers) gives the same values."""
    return uniform(shape, minval, maxval, dtype, _pair(seed))


def _pair(seed: Any) -> Any:
    data = jnp.asarray(unwrap(seed)).astype("uint32")
    if data.shape != (2,):
        raise ValueError(
            f"A stateless seed is two integers, e.g. seed=[1, 2]; received shape {data.shape}."
        )
    return data
