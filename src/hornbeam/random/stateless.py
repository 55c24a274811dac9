"""Random tensors that their seed alone determines, and seeds made of seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import canonical
from hornbeam.core.rng import draw_key
from hornbeam.core.tensor import convert_to_tensor, unwrap
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops import draws as drawing
from hornbeam.random import draws
from hornbeam.tensors.creation import static_shape


def pair(seed: TensorLike) -> Any:
    """Return a stateless seed as two unsigned integers."""
    data = unwrap(convert_to_tensor(seed)).astype("uint32")
    if data.shape != (2,):
        raise ValueError(
            f"A stateless seed is two integers, e.g. seed=[1, 2]; received shape {data.shape}."
        )
    return data


def stateless_normal(
    shape: Any,
    seed: TensorLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return values of a normal distribution: the same ones for the same `seed` (two integers).

    >>> import hornbeam as tf
    >>> a, b = (tf.random.stateless_normal([2], seed=[1, 2]) for _ in range(2))
    >>> bool(tf.reduce_all(a == b))
    True
    """
    return draws.normal(shape, mean, stddev, dtype, pair(seed))


def stateless_truncated_normal(
    shape: Any,
    seed: TensorLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return values as `truncated_normal` does: the same ones for the same `seed` (two integers)."""
    return draws.truncated_normal(shape, mean, stddev, dtype, pair(seed))


def stateless_uniform(
    shape: Any,
    seed: TensorLike,
    minval: TensorLike | None = 0,
    maxval: TensorLike | None = None,
    dtype: DTypeLike = "float32",
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """Return values as `uniform` does: the same ones for the same `seed` (two integers).

    Without both limits, `minval=None, maxval=None`, integers take any value of their type.
    """
    if minval is None and maxval is None:
        kind = canonical(dtype).name
        return drawing.bits_of_key(draw_key(pair(seed)), static_shape(shape), kind)
    return draws.uniform(shape, minval, maxval, dtype, pair(seed))


def stateless_categorical(
    logits: TensorLike,
    num_samples: int,
    seed: TensorLike,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> Any:
    """Return classes as `categorical` does: the same ones for the same `seed`. (b, c) -> (b, num_samples)"""
    return draws.categorical(logits, num_samples, dtype, pair(seed))


def stateless_gamma(
    shape: Any,
    seed: TensorLike,
    alpha: TensorLike,
    beta: TensorLike | None = None,
    dtype: DTypeLike = "float32",
    name: str | None = None,
) -> Any:
    """Return values of gamma distributions: the same ones for the same `seed`; `shape` ends with that of alpha and beta."""
    like = [tuple(np.shape(unwrap(each))) for each in (alpha, 1.0 if beta is None else beta)]
    lead = _leading(static_shape(shape), like)
    alpha = ops.broadcast_to(ops.cast(alpha, dtype), np.broadcast_shapes(*like))
    return draws.gamma(lead, alpha, beta, dtype, pair(seed))


def stateless_poisson(
    shape: Any,
    seed: TensorLike,
    lam: TensorLike,
    dtype: DTypeLike = "int32",
    name: str | None = None,
) -> Any:
    """Return counts of Poisson distributions: the same ones for the same `seed`; `shape` ends with that of `lam`."""
    lead = _leading(static_shape(shape), [tuple(np.shape(unwrap(lam)))])
    return draws.poisson(lead, lam, dtype, pair(seed))


def stateless_binomial(
    shape: Any,
    seed: TensorLike,
    counts: TensorLike,
    probs: TensorLike,
    output_dtype: DTypeLike = "int32",
    name: str | None = None,
) -> Any:
    """Return how many of `counts` tries succeed that each succeed with `probs`: the same for the same `seed`.

    `shape` ends with the common shape of both.
    """
    return draws.binomial(shape, counts, probs, output_dtype, pair(seed))


def stateless_parameterized_truncated_normal(
    shape: Any,
    seed: TensorLike,
    means: TensorLike = 0.0,
    stddevs: TensorLike = 1.0,
    minvals: TensorLike = -2.0,
    maxvals: TensorLike = 2.0,
    name: str | None = None,
) -> Any:
    """Return values of normal distributions, none outside of its own limits; the same ones for the same `seed`."""
    return drawing.limited_normal_of_key(
        draw_key(pair(seed)), static_shape(shape), means, stddevs, minvals, maxvals
    )


def stateless_shuffle(
    value: TensorLike, seed: TensorLike, alg: Any = "auto_select", name: str | None = None
) -> Any:
    """Return the rows in a random order: the same one for the same `seed`."""
    return draws.shuffle(value, pair(seed))


def index_shuffle(index: TensorLike, seed: TensorLike, max_index: int) -> Any:
    """Return where a random order of 0, 1, ..., max_index puts `index`: the same for the same `seed`."""
    numbers = [int(each) for each in np.ravel(np.asarray(unwrap(convert_to_tensor(seed))))]
    folded = [numbers[0], sum(numbers[1:])]
    order = draws.shuffle(ops.arange(int(max_index) + 1, dtype="int32"), pair(folded))
    return ops.take(order, index)


def split(seed: TensorLike, num: int = 2, alg: Any = "auto_select") -> Any:
    """Return `num` new stateless seeds made of one. (2,) -> (num, 2)

    >>> import hornbeam as tf
    >>> tf.random.split([1, 2], 3).shape
    TensorShape([3, 2])
    """
    return drawing.split_key(draw_key(pair(seed)), int(num))


def fold_in(seed: TensorLike, data: TensorLike, alg: Any = "auto_select") -> Any:
    """Return a new stateless seed made of a seed and an integer: for a step, a replica, a worker. (2,) -> (2,)"""
    return drawing.folded_key(draw_key(pair(seed)), data)


stateless_split = split
stateless_fold_in = fold_in


def _leading(shape: tuple[int, ...], like: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return `shape` without the shape of the parameters, which it ends with."""
    end = np.broadcast_shapes(*like)
    count = len(shape) - len(end)
    pairs = zip(shape[max(count, 0) :], end, strict=False)
    if count < 0 or any(own not in (1, size) for size, own in pairs):
        raise ValueError(
            f"`shape` {shape} has to end with the shape of the parameters, {tuple(end)}."
        )
    return shape[:count]
