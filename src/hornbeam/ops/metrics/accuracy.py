"""How often the prediction is right: 1.0 or 0.0 for each prediction."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import argmax, array, class_numbers, inexact
from hornbeam.ops.losses.common import aligned, shape_error


@op
def accuracy(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return y_true == y_pred; (b, ...) -> (b, ...)"""
    y_true, y_pred = aligned("accuracy", y_true, y_pred)
    return _as_float(y_true == y_pred)


@op
def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> jax.Array:
    """Return y_true == (y_pred > threshold); (b, ...) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.metrics.binary_accuracy([[1], [1], [0]], [[0.7], [0.4], [0.1]]).numpy())
    [[1.] [0.] [1.]]
    """
    y_true, y_pred = aligned("binary_accuracy", y_true, y_pred)
    return _as_float(y_true == (y_pred > threshold).astype(y_true.dtype))


@op
def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return argmax(y_true) == argmax(y_pred) over the classes; (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.metrics.categorical_accuracy([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]).numpy())
    [0. 1.]
    """
    y_true, y_pred = array(y_true), array(y_pred)
    if y_true.shape != y_pred.shape or not y_pred.ndim:
        hint = "If `y_true` holds numbers of classes, use sparse_categorical_accuracy."
        raise shape_error("categorical_accuracy", y_true, y_pred, "the same shape", hint)
    return _as_float(argmax(y_true, -1, False) == argmax(y_pred, -1, False))


@op
def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return y_true == argmax(y_pred) over the classes; (b, ...) or (b, ..., 1) against (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.metrics.sparse_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]).numpy())
    [0. 1.]
    """
    y_true, y_pred = _class_numbers("sparse_categorical_accuracy", y_true, y_pred)
    return _as_float(y_true == argmax(y_pred, -1, False))


@op
def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> jax.Array:
    """Return whether argmax(y_true) is among the k highest scores of y_pred; (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.metrics.top_k_categorical_accuracy([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]], k=2).numpy())
    [1. 1.]
    """
    y_true, y_pred = array(y_true), array(y_pred)
    if y_true.shape != y_pred.shape or not y_pred.ndim:
        hint = "If `y_true` holds numbers of classes, use sparse_top_k_categorical_accuracy."
        raise shape_error("top_k_categorical_accuracy", y_true, y_pred, "the same shape", hint)
    return _in_top_k(argmax(y_true, -1, False), y_pred, k)


@op
def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> jax.Array:
    """Return whether class y_true is among the k highest scores of y_pred; (b, ...) against (b, ..., classes) -> (b, ...)

    With `from_sorted_ids`, y_pred holds numbers of classes, the likeliest first, instead of scores.

    >>> from hornbeam import keras
    >>> print(keras.metrics.sparse_top_k_categorical_accuracy([2, 1], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]], k=2).numpy())
    [1. 1.]
    """
    y_true, y_pred = _class_numbers("sparse_top_k_categorical_accuracy", y_true, y_pred)
    if from_sorted_ids:
        return _as_float(jnp.any(y_pred[..., :k] == y_true[..., None], axis=-1))
    return _in_top_k(class_numbers(y_true), y_pred, k)


def _as_float(right: jax.Array) -> jax.Array:
    return right.astype(canonical(floatx()))


def _class_numbers(
    name: str, y_true: TensorLike, y_pred: TensorLike
) -> tuple[jax.Array, jax.Array]:
    y_true, y_pred = array(y_true), array(y_pred)
    labels = y_true
    if labels.ndim == y_pred.ndim and labels.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not y_pred.ndim or labels.shape != y_pred.shape[:-1]:
        hint = (
            f"If `y_true` is one-hot, use {name.removeprefix('sparse_')}."
            if y_true.shape == y_pred.shape
            else ""
        )
        raise shape_error(name, y_true, y_pred, "the shapes (b, ...) and (b, ..., classes)", hint)
    return labels, y_pred


def _in_top_k(labels: jax.Array, scores: jax.Array, k: int) -> jax.Array:
    """Return whether the class is in the top k. Equal scores share their rank, so a tie at rank k is in; a label that is
    no class and a NaN score are out.
    """
    scores = inexact(scores)
    classes = scores.shape[-1]
    chosen = jnp.take_along_axis(scores, jnp.clip(labels, 0, classes - 1)[..., None], axis=-1)
    higher = jnp.sum(scores > chosen, axis=-1)
    valid = (labels >= 0) & (labels < classes) & ~jnp.isnan(chosen[..., 0])
    return _as_float(valid & (higher < k))
