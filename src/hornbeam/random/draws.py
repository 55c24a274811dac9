"""Random tensors. Without a seed each call differs; `set_seed` starts the series anew."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.dtypes import as_dtype, canonical
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
    drawn = jax.random.normal(draw_key(seed), static_shape(shape), canonical(dtype))
    return Tensor(_in_type(drawn * unwrap(stddev) + unwrap(mean), dtype))


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of a normal distribution, none farther than two deviations from the mean."""
    drawn = jax.random.truncated_normal(
        draw_key(seed), -2.0, 2.0, static_shape(shape), canonical(dtype)
    )
    return Tensor(_in_type(drawn * unwrap(stddev) + unwrap(mean), dtype))


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values from `minval` up to but without `maxval` (1 for floats; integers need it)."""
    if as_dtype(dtype).is_integer:
        if maxval is None:
            raise ValueError("Random integers need `maxval`.")
        low, high = unwrap(minval), unwrap(maxval)
        return Tensor(
            jax.random.randint(draw_key(seed), static_shape(shape), low, high, canonical(dtype))
        )
    drawn = jax.random.uniform(draw_key(seed), static_shape(shape), canonical(dtype))
    low, high = unwrap(minval), 1.0 if maxval is None else unwrap(maxval)
    return Tensor(_in_type(low + drawn * (high - low), dtype))


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of gamma distributions: `shape` draws for each `alpha` (and rate `beta`)."""
    alpha = jnp.asarray(unwrap(alpha), canonical(dtype))
    drawn = jax.random.gamma(
        draw_key(seed), alpha, (*static_shape(shape), *alpha.shape), canonical(dtype)
    )
    return Tensor(drawn if beta is None else drawn / unwrap(beta))


def poisson(
    shape: Any, lam: Any, dtype: Any = "float32", seed: Seed = None, name: str | None = None
) -> Tensor:
    """Values of Poisson distributions: `shape` draws for each `lam`."""
    lam = jnp.asarray(unwrap(lam), "float32")
    return Tensor(
        _in_type(jax.random.poisson(draw_key(seed), lam, (*static_shape(shape), *lam.shape)), dtype)
    )


def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: Seed = None, name: str | None = None
) -> Tensor:
    """Classes drawn by unnormalised log-probabilities. (b, c) -> (b, num_samples)"""
    logits = jnp.asarray(unwrap(logits))
    drawn = jax.random.categorical(
        draw_key(seed), logits[:, None, :], -1, (logits.shape[0], int(num_samples))
    )
    return Tensor(drawn.astype(canonical(dtype or "int64")))


def shuffle(value: Any, seed: Seed = None, name: str | None = None) -> Tensor:
    """The rows in a random order."""
    return Tensor(jax.random.permutation(draw_key(seed), jnp.asarray(unwrap(value))))


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


def _in_type(value: Any, dtype: Any) -> Any:
    return value.astype(canonical(dtype))
