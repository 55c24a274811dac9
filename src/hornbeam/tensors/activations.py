"""Activations under TensorFlow's names, for `tf.nn` and `tf.math`."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.signatures import of_features, of_x

elu = of_features(ops.elu)
relu = of_features(ops.relu)
selu = of_features(ops.selu)
softplus = of_features(ops.softplus)
softsign = of_features(ops.softsign)
sigmoid = of_x(ops.sigmoid)
tanh = of_x(ops.tanh)


def relu6(features: Any, name: str | None = None) -> Any:
    """min(max(x, 0), 6)"""
    found = ops.relu6(features)
    kind = ops.dtype(features)
    return ops.cast(found, kind) if kind.is_integer else found


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """max(x, alpha x)"""
    return ops.leaky_relu(features, alpha)


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """x P(X <= x) for a standard normal X; `approximate` uses tanh."""
    return ops.gelu(features, approximate)


def silu(features: Any, beta: float = 1.0) -> Any:
    """x sigmoid(beta x)"""
    return ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


swish = silu


def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Any:
    """exp(x) / sum(exp(x)) along an axis, the last by default.

    >>> import hornbeam as tf
    >>> tf.nn.softmax([0.0, 0.0]).numpy()
    array([0.5, 0.5], dtype=float32)
    """
    return ops.softmax(logits, -1 if axis is None else axis)


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Any:
    """x - log(sum(exp(x))) along an axis, the last by default."""
    return ops.log_softmax(logits, -1 if axis is None else axis)


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Any:
    """relu of x and of -x, side by side."""
    return ops.concatenate([ops.relu(features), ops.relu(ops.negative(features))], axis=axis)
