"""Statistics, normalisation, dropout, embedding."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.op import op
from hornbeam.ops.random import dropout as _dropout


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The mean and the variance over axes."""
    return ops.moments(x, tuple(axes) if isinstance(axes, list) else axes, keepdims=keepdims)


@op(name="tf.nn.batch_normalization")
def _batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, epsilon: float
) -> Any:
    factor = 1 / jnp.sqrt(jnp.asarray(variance) + epsilon)
    factor = factor if scale is None else factor * scale
    y = (jnp.asarray(x) - mean) * factor
    return y if offset is None else y + offset


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
    return _batch_normalization(x, mean, variance, offset, scale, variance_epsilon)


@op(name="tf.nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """A bias for each channel added."""
    value, bias = jnp.asarray(value), jnp.asarray(bias)
    if data_format is not None and data_format.startswith("NC"):
        bias = bias.reshape(-1, *[1] * (value.ndim - 2))
    return value + bias


def dropout(
    x: Any, rate: float, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """Elements set to 0 with probability `rate`, the others scaled by 1 / (1 - rate)."""
    return _dropout(x, rate, noise_shape=noise_shape, seed=seed)


def embedding_lookup(
    params: Any, ids: Any, max_norm: float | None = None, name: str | None = None
) -> Any:
    """The rows of a table. (n, d), ids (b, ...) -> (b, ..., d)"""
    if max_norm is not None:
        raise NotImplementedError(
            "embedding_lookup does not take `max_norm`; clip the rows with tf.clip_by_norm."
        )
    return ops.take(params, ids, axis=0)


@op
def l2_loss(t: Any, name: str | None = None) -> Any:
    """sum(t^2) / 2"""
    return jnp.sum(jnp.square(t)) / 2
