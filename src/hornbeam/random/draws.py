"""Random tensors. Without a seed each call differs; `set_seed` starts the series anew."""

from __future__ import annotations

from typing import Any

from hornbeam.core.dtypes import as_dtype, canonical
from hornbeam.core.error_types import invalid
from hornbeam.core.rng import SeedGenerator, draw_key
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops.draws import (
    binomial_of_key,
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
    if (
        isinstance(minval, int)
        and isinstance(maxval, int)
        and minval >= maxval
        and as_dtype(dtype).is_integer
    ):
        raise invalid(f"Need minval < maxval, got {minval} >= {maxval} [Op:RandomUniformInt]")
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
    kind = canonical(dtype)
    alpha = convert_to_tensor(alpha, kind)
    beta = None if beta is None else convert_to_tensor(beta, kind)
    return gamma_of_key(draw_key(seed), static_shape(shape), alpha, beta, kind)


def poisson(
    shape: Any, lam: Any, dtype: Any = "float32", seed: Seed = None, name: str | None = None
) -> Tensor:
    """Values of Poisson distributions: `shape` draws for each `lam`."""
    lam = convert_to_tensor(lam, "float32")  # which JAX draws by
    return poisson_of_key(draw_key(seed), static_shape(shape), lam, canonical(dtype))


def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: Seed = None, name: str | None = None
) -> Tensor:
    """Classes drawn by unnormalised log-probabilities. (b, c) -> (b, num_samples)"""
    kind = canonical(dtype or "int64")
    return categorical_of_key(draw_key(seed), convert_to_tensor(logits), int(num_samples), kind)


def shuffle(value: Any, seed: Seed = None, name: str | None = None) -> Tensor:
    """The rows in a random order."""
    tensor = convert_to_tensor(value)
    return shuffle_of_key(draw_key(seed), tensor) if tensor.ndim else tensor


def binomial(
    shape: Any,
    counts: TensorLike,
    probs: TensorLike,
    dtype: DTypeLike = "int32",
    seed: Seed = None,
) -> Tensor:
    """Return how many of `counts` tries succeed that each succeed with `probs`; `shape` ends with theirs."""
    counts, probs = (convert_to_tensor(each, "float32") for each in (counts, probs))
    return binomial_of_key(
        draw_key(seed), static_shape(shape), counts, probs, canonical(dtype).name
    )
