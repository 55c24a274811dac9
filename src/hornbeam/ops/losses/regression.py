"""Distances between numbers.

In every function y_true and y_pred are (b, ..., d), or one of them lacks a last axis of size 1; the result is (b, ...), the
mean over d. Raises ValueError for other shapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import kinks
from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import TensorLike
from hornbeam.ops.losses.common import aligned, mean_last


@op
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean((y_true - y_pred)^2) over the last axis

    >>> from hornbeam import keras
    >>> print(keras.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]]).numpy())
    [2.5]
    """
    y_true, y_pred = aligned("mean_squared_error", y_true, y_pred)
    return mean_last(jnp.square(y_true - y_pred))


@op
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean(|y_true - y_pred|) over the last axis

    >>> from hornbeam import keras
    >>> print(keras.losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 3.0]]).numpy())
    [1.5]
    """
    y_true, y_pred = aligned("mean_absolute_error", y_true, y_pred)
    return mean_last(kinks.absolute(y_true - y_pred))


@op
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return 100 * mean(|y_true - y_pred| / |y_true|) over the last axis, in percent

    |y_true| below epsilon (`keras.config.epsilon`) counts as epsilon.

    >>> from hornbeam import keras
    >>> print(keras.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).numpy())
    [25.]
    """
    y_true, y_pred = aligned("mean_absolute_percentage_error", y_true, y_pred)
    return 100 * mean_last(
        kinks.absolute((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), epsilon()))
    )


@op
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean((log(y_true + 1) - log(y_pred + 1))^2) over the last axis; numbers below 0 count as 0

    >>> from hornbeam import keras
    >>> print(keras.losses.mean_squared_logarithmic_error([[0.0, 3.0]], [[0.0, 1.0]]).numpy())
    [0.240]
    """
    y_true, y_pred = aligned("mean_squared_logarithmic_error", y_true, y_pred)
    log_true = jnp.log1p(jnp.maximum(y_true, epsilon()))
    log_pred = jnp.log1p(jnp.maximum(y_pred, epsilon()))
    return mean_last(jnp.square(log_true - log_pred))


@op
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return mean(log(cosh(y_pred - y_true))) over the last axis

    Near 0 it is half the squared error, far away the absolute error less log(2).

    >>> from hornbeam import keras
    >>> print(keras.losses.log_cosh([[0.0, 1.0]], [[1.0, 101.0]]).numpy())
    [49.87]
    """
    y_true, y_pred = aligned("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return mean_last(jnp.logaddexp(error, -error) - math.log(2.0))


@op
def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> jax.Array:
    """Return the mean over the last axis of e^2 / 2 where |e| <= delta, else delta * |e| - delta^2 / 2; e = y_true - y_pred

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    >>> from hornbeam import keras
    >>> print(keras.losses.huber([[0.0, 0.0]], [[0.5, 3.0]]).numpy())
    [1.3125]
    """
    y_true, y_pred = aligned("huber", y_true, y_pred)
    error = y_pred - y_true
    size = jnp.abs(error)
    return mean_last(
        jnp.where(size <= delta, 0.5 * jnp.square(error), delta * size - 0.5 * delta * delta)
    )


@op
def cosine_similarity(
    y_true: TensorLike, y_pred: TensorLike, axis: int | Sequence[int] = -1
) -> jax.Array:
    """Return -sum(y_true * y_pred) / (|y_true| * |y_pred|) over the axis: -1 for the same direction, 0 for right angles

    The negative of the similarity, so that it can be minimised. A vector of zeros has similarity 0 to any other.

    >>> from hornbeam import keras
    >>> print(keras.losses.cosine_similarity([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 2.0]]).numpy().round(4))
    [-0. -1.]
    """
    y_true, y_pred = aligned("cosine_similarity", y_true, y_pred)

    def direction(x: Any) -> Any:
        square = jnp.sum(jnp.square(x), axis=as_axis(axis), keepdims=True)
        # Dividing by the norm itself has no gradient at 0; a NaN there would spoil all weights.
        return x / jnp.sqrt(jnp.where(square > 0, square, 1))

    return -jnp.sum(direction(y_true) * direction(y_pred), axis=as_axis(axis))
