"""Losses that ask for a margin: a right answer costs nothing once it is right by 1."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core import kinks
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.losses.common import aligned, mean_last


def _signed(labels: jax.Array) -> jax.Array:
    """Return labels 0 and 1 as -1 and 1; labels that hold anything else are taken to be signed already."""
    binary = jnp.all((labels == 0) | (labels == 1))
    return jnp.where(binary, 2 * labels - 1, labels)


@op
def hinge(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean(max(1 - y_true * y_pred, 0)) over the last axis

    y_true is -1 or 1; if all of it is 0 or 1, 0 is read as -1. (b, ..., d) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.hinge([[-1.0, 1.0]], [[-2.0, 0.5]]).numpy())
    [0.25]
    """
    y_true, y_pred = aligned("hinge", y_true, y_pred)
    return mean_last(kinks.maximum(1 - _signed(y_true) * y_pred, 0))


@op
def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean(max(1 - y_true * y_pred, 0)^2) over the last axis

    y_true is -1 or 1; if all of it is 0 or 1, 0 is read as -1. (b, ..., d) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.squared_hinge([[-1.0, 1.0]], [[-2.0, 0.5]]).numpy())
    [0.125]
    """
    y_true, y_pred = aligned("squared_hinge", y_true, y_pred)
    return mean_last(jnp.square(kinks.maximum(1 - _signed(y_true) * y_pred, 0)))


@op
def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return max(1 + the best score of a wrong class - the score of the right one, 0)

    y_true is one-hot. y_true, y_pred: (b, ..., classes) -> (b, ...)

    >>> from hornbeam import keras
    >>> print(keras.losses.categorical_hinge([[0.0, 1.0, 0.0]], [[0.1, 0.7, 0.4]]).numpy())
    [0.7]
    """
    y_true, y_pred = aligned("categorical_hinge", y_true, y_pred)
    right = jnp.sum(y_true * y_pred, axis=-1)
    wrong = jnp.max((1 - y_true) * y_pred, axis=-1)
    return kinks.maximum(wrong - right + 1, 0)
