"""Statistics, normalisation, dropout, embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.index_bounds import check_indices
from hornbeam.ops.dense import bias_add as _bias_add
from hornbeam.ops.normalization import broadcast_normalization
from hornbeam.ops.random import dropout as _dropout
from hornbeam.ops.reduction import integer_mean
from hornbeam.tensors.argument_checks import check_integers
from hornbeam.tensors.reductions import is_whole


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The mean and the variance over axes; those of integers are integers."""
    if is_whole(x):
        axes = tuple(axes) if isinstance(axes, list) else axes
        mean = integer_mean(x, axes, True)
        squares = ops.square(ops.subtract(x, mean))
        return integer_mean(mean, axes, keepdims), integer_mean(squares, axes, keepdims)
    return ops.moments(x, tuple(axes) if isinstance(axes, list) else axes, keepdims=keepdims)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: float,
    name: str | None = None,
) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + offset"""
    return broadcast_normalization(x, mean, variance, offset, scale, variance_epsilon)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """A bias for each channel added."""
    is_first = data_format is not None and data_format.startswith("NC")
    return _bias_add(value, bias, "channels_first" if is_first else "channels_last")


def dropout(
    x: Any, rate: float, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """Elements set to 0 with probability `rate`, the others scaled by 1 / (1 - rate)."""
    return _dropout(x, rate, noise_shape=noise_shape, seed=seed)


def embedding_lookup(
    params: Any, ids: Any, max_norm: float | None = None, name: str | None = None
) -> Any:
    """The rows of a table. (n, d), ids (b, ...) -> (b, ..., d)

    Raises InvalidArgumentError for an id outside the table; in a compiled program its row is NaN.
    """
    if max_norm is not None:
        raise NotImplementedError(
            "embedding_lookup does not take `max_norm`; clip the rows with tf.clip_by_norm."
        )
    check_integers("tf.nn.embedding_lookup", "ids", ids)
    check_indices(ids, np.shape(params)[0], "ResourceGather")
    return ops.embedding_lookup(params, ids)


def l2_loss(t: Any, name: str | None = None) -> Any:
    """sum(t^2) / 2"""
    return ops.divide(ops.sum(ops.square(t)), 2)
