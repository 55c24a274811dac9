"""Random numbers. `seed` is a `SeedGenerator` (each call draws new numbers), an integer (each call draws the same), or None.

None draws from the global generator that `keras.utils.set_random_seed` starts.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand
from hornbeam.core.dtypes import canonical
from hornbeam.core.jax_typed import randint as drawn_integers
from hornbeam.core.op import op
from hornbeam.core.rng import SeedGenerator, draw_key, drawing
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.kernels.bernoulli import bernoulli
from hornbeam.ops.common import array, float_dtype, inexact
from hornbeam.ops.draws import drawn_beta, drawn_classes, drawn_gamma

Seed = int | SeedGenerator | None
__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


@op(name="random.normal", prepare=drawing)
def normal(
    shape: Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Draw from the normal distribution.

    >>> from hornbeam import keras
    >>> keras.random.normal((2, 3), seed=1).shape
    TensorShape([2, 3])
    """
    kind = float_dtype(dtype)
    draws = jax.random.normal(draw_key(seed), tuple(shape), kind)
    return draws * jnp.asarray(stddev, kind) + jnp.asarray(mean, kind)


@op(name="random.truncated_normal", prepare=drawing)
def truncated_normal(
    shape: Sequence[int],
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Draw from the normal distribution without what lies more than 2 `stddev` from the mean."""
    kind = float_dtype(dtype)
    draws = jax.random.truncated_normal(draw_key(seed), -2.0, 2.0, tuple(shape), kind)
    return draws * jnp.asarray(stddev, kind) + jnp.asarray(mean, kind)


@op(name="random.uniform", prepare=drawing)
def uniform(
    shape: Sequence[int],
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Draw numbers spread evenly over [minval, maxval).

    >>> from hornbeam import keras
    >>> x = keras.random.uniform((1000,), 2.0, 3.0, seed=1)
    >>> bool((x >= 2).numpy().all() and (x < 3).numpy().all())
    True
    """
    kind = float_dtype(dtype)
    if jnp.issubdtype(kind, jnp.integer):
        return drawn_integers(draw_key(seed), tuple(shape), operand(minval), operand(maxval), kind)
    low, high = jnp.asarray(minval, kind), jnp.asarray(maxval, kind)
    return jax.random.uniform(draw_key(seed), tuple(shape), kind, low, high)


@op(name="random.randint", prepare=drawing)
def randint(
    shape: Sequence[int],
    minval: TensorLike,
    maxval: TensorLike,
    dtype: DTypeLike = "int32",
    seed: Seed = None,
) -> jax.Array:
    """Draw whole numbers spread evenly over minval ... maxval - 1."""
    kind = canonical(dtype)
    if not jnp.issubdtype(kind, jnp.integer):
        raise ValueError(f"`randint` returns integers; received dtype={dtype!r}. Use `uniform`.")
    return drawn_integers(draw_key(seed), tuple(shape), operand(minval), operand(maxval), kind)


@op(name="random.categorical", prepare=drawing)
def categorical(
    logits: TensorLike, num_samples: int, dtype: DTypeLike = "int32", seed: Seed = None
) -> jax.Array:
    """Draw classes with the probabilities softmax(logits): (b, classes) -> (b, num_samples)"""
    logits = inexact(logits)
    draws = drawn_classes(draw_key(seed), logits, (num_samples, *logits.shape[:-1]))
    return jnp.moveaxis(draws, 0, -1).astype(canonical(dtype))


@op(name="random.dropout", prepare=drawing)
def dropout(
    inputs: TensorLike,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Set each element to 0 with probability `rate`, else divide it by 1 - rate (Srivastava et al. 2014, JMLR 15).

    Where `noise_shape` is 1, all elements along that axis share one draw; None stands for the input's
    own size.

    >>> from hornbeam import keras
    >>> sorted(set(keras.random.dropout(keras.ops.ones((100,)), 0.5, seed=1).numpy().tolist()))
    [0.0, 2.0]
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"`rate` is a probability from 0 to 1; received {rate!r}.")
    x = inexact(inputs)
    if rate == 0:
        return x
    if rate == 1:
        return jnp.zeros_like(x)
    shape = x.shape
    if noise_shape is not None:
        shape = [
            n if given is None else given for n, given in zip(x.shape, noise_shape, strict=True)
        ]
    keep = bernoulli(draw_key(seed), 1 - rate, tuple(shape))
    return jnp.where(keep, x / (1 - rate), 0)


@op(name="random.shuffle", prepare=drawing)
def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> jax.Array:
    """Put the slices along an axis in random order."""
    return jax.random.permutation(draw_key(seed), array(x), axis)


@op(name="random.gamma", prepare=drawing)
def gamma(
    shape: Sequence[int], alpha: TensorLike, dtype: DTypeLike | None = None, seed: Seed = None
) -> jax.Array:
    """Draw from the gamma distribution with shape parameter `alpha` and scale 1."""
    kind = float_dtype(dtype)
    return drawn_gamma(draw_key(seed), jnp.asarray(alpha, kind), shape)


@op(name="random.beta", prepare=drawing)
def beta(
    shape: Sequence[int],
    alpha: TensorLike,
    beta: TensorLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Draw from the beta distribution, between 0 and 1 with mean alpha / (alpha + beta)."""
    kind = float_dtype(dtype)
    a, b = jnp.asarray(alpha, kind), jnp.asarray(beta, kind)
    return drawn_beta(draw_key(seed), a, b, shape)


@op(name="random.binomial", prepare=drawing)
def binomial(
    shape: Sequence[int],
    counts: TensorLike,
    probabilities: TensorLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> jax.Array:
    """Draw how many of `counts` tries succeed that each succeed with `probabilities`."""
    kind = float_dtype(dtype)
    n, p = jnp.asarray(counts, kind), jnp.asarray(probabilities, kind)
    return jax.random.binomial(draw_key(seed), n, p, tuple(shape), kind)
