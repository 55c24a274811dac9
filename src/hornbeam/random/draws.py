"""Random tensors. Without a seed each call differs; `set_seed` starts the series anew."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam.core.dtypes import as_dtype, canonical
from hornbeam.core.rng import SeedGenerator, draw_key
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.ops.draws import (
    categorical_of_key,
    gamma_of_key,
    normal_of_key,
    poisson_of_key,
    shuffle_of_key,
    truncated_normal_of_key,
    uniform_of_key,
)
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
    return normal_of_key(draw_key(seed), static_shape(shape), mean, stddev, canonical(dtype))


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of a normal distribution, none farther than two deviations from the mean."""
    return truncated_normal_of_key(
        draw_key(seed), static_shape(shape), mean, stddev, canonical(dtype)
    )


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
    return uniform_of_key(draw_key(seed), static_shape(shape), minval, high, canonical(dtype))


def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = "float32",
    seed: Seed = None,
    name: str | None = None,
) -> Tensor:
    """Values of gamma distributions: `shape` draws for each `alpha` (and rate `beta`)."""
    return gamma_of_key(draw_key(seed), static_shape(shape), alpha, beta, canonical(dtype))


def poisson(
    shape: Any, lam: Any, dtype: Any = "float32", seed: Seed = None, name: str | None = None
) -> Tensor:
    """Values of Poisson distributions: `shape` draws for each `lam`."""
    return poisson_of_key(draw_key(seed), static_shape(shape), lam, canonical(dtype))


def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: Seed = None, name: str | None = None
) -> Tensor:
    """Classes drawn by unnormalised log-probabilities. (b, c) -> (b, num_samples)"""
    return categorical_of_key(draw_key(seed), logits, int(num_samples), canonical(dtype or "int64"))


def shuffle(value: Any, seed: Seed = None, name: str | None = None) -> Tensor:
    """The rows in a random order."""
    return shuffle_of_key(draw_key(seed), value)


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    name: str | None = None,
    alg: str = "auto_select",
) -> Tensor:
    """Return values of a normal distribution: the same ones for the same `seed` (two integers)."""
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
    """Return values as `truncated_normal` does: the same ones for the same `seed` (two integers)."""
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
    """Return values as `uniform` does: the same ones for the same `seed` (two integers)."""
    return uniform(shape, minval, maxval, dtype, _pair(seed))


def _pair(seed: Any) -> Any:
    data = jnp.asarray(unwrap(seed)).astype("uint32")
    if data.shape != (2,):
        raise ValueError(
            f"A stateless seed is two integers, e.g. seed=[1, 2]; received shape {data.shape}."
        )
    return data
