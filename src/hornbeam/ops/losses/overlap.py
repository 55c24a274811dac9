"""Distances of sets, as in segmentation: one number for the whole batch unless axes are named.

y_true and y_pred are memberships from 0 to 1 of the same shape. Raise ValueError for shapes that do not fit.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.ops.losses.common import aligned


@op
def tversky(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axis = None,
) -> jax.Array:
    """Return 1 - both / (both + alpha * only_true + beta * only_pred) over the axes, all of them for None

    alpha weighs what is there and not predicted, beta what is predicted and not there. (So Keras computes it; its
    documentation and the source have the two the other way round.) Source: Salehi et al., Tversky loss function for image
    segmentation, arXiv:1706.05721.

    >>> from hornbeam import keras
    >>> float(keras.losses.tversky([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]], alpha=1.0))
    0.5
    """
    y_true, y_pred = aligned("tversky", y_true, y_pred)
    axis = as_axis(axis)
    both = jnp.sum(y_true * y_pred, axis=axis)
    only_pred = jnp.sum((1 - y_true) * y_pred, axis=axis)
    only_true = jnp.sum(y_true * (1 - y_pred), axis=axis)
    return 1 - both / (both + alpha * only_true + beta * only_pred + epsilon())


@op
def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axis = None) -> jax.Array:
    """Return 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred)) over the axes, all of them for None

    >>> from hornbeam import keras
    >>> float(keras.losses.dice([[1.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]]))
    0.3333
    """
    y_true, y_pred = aligned("dice", y_true, y_pred)
    axis = as_axis(axis)
    both = jnp.sum(y_true * y_pred, axis=axis)
    sizes = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1 - 2 * both / (sizes + epsilon())
