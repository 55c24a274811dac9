"""Losses on logits, one number for each sample."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.op import op


@op(name="sigmoid_cross_entropy_with_logits")
def _sigmoid(labels: Any, logits: Any) -> Any:
    logits = jnp.asarray(logits)
    labels = jnp.asarray(labels, logits.dtype)
    return jnp.maximum(logits, 0) - logits * labels + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """-z log(s(x)) - (1 - z) log(1 - s(x)) for labels z and logits x, element by element.

    >>> import hornbeam as tf
    >>> tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]).numpy()
    array([0.6931472], dtype=float32)
    """
    return _sigmoid(labels, logits)


@op(name="softmax_cross_entropy_with_logits")
def _softmax(labels: Any, logits: Any, axis: int) -> Any:
    return -jnp.sum(jnp.asarray(labels) * jax.nn.log_softmax(jnp.asarray(logits), axis), axis)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Any:
    """-sum(labels log(softmax(logits))) along an axis. (b, c), (b, c) -> (b,)"""
    return _softmax(labels, logits, axis)


@op(name="sparse_softmax_cross_entropy_with_logits")
def _sparse(labels: Any, logits: Any) -> Any:
    labels = jnp.asarray(labels)
    found = jnp.take_along_axis(
        jax.nn.log_softmax(jnp.asarray(logits)), labels[..., None], -1, mode="fill"
    )
    return -jnp.where(
        (labels < 0), jnp.nan, found[..., 0]
    )  # no class: not a number, as in TensorFlow on GPUs


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Any:
    """-log(softmax(logits)[label]); NaN for a label that is no class. (b,), (b, c) -> (b,)"""
    return _sparse(labels, logits)
