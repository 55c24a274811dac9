"""How far predictions move with the truth."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.losses.common import aligned


@op
def pearson_correlation(
    y_true: TensorLike, y_pred: TensorLike, axis: int | Sequence[int] = -1
) -> jax.Array:
    """Return covariance(y_true, y_pred) / (std(y_true) * std(y_pred)); (b, ..., d) -> (b, ...)

    1 where the predictions rise with the truth in a straight line, -1 where they fall, NaN where one does not change.

    >>> from hornbeam import keras
    >>> print(keras.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 3.0, 5.0]]).numpy())
    [1.]
    """
    y_true, y_pred = aligned("pearson_correlation", y_true, y_pred)
    axes = axis if isinstance(axis, int) else tuple(axis)
    truth = y_true - jnp.mean(y_true, axis=axes, keepdims=True)
    found = y_pred - jnp.mean(y_pred, axis=axes, keepdims=True)
    truth = truth / jnp.std(truth, axis=axes, keepdims=True)
    found = found / jnp.std(found, axis=axes, keepdims=True)
    return jnp.mean(truth * found, axis=axes)


@op
def concordance_correlation(
    y_true: TensorLike, y_pred: TensorLike, axis: int | Sequence[int] = -1
) -> jax.Array:
    """Return 2 * covariance / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred))^2); (b, ..., d) -> (b, ...)

    1 only where the predictions are the truth: unlike Pearson's, it falls with a shift and with a change of scale.

    >>> from hornbeam import keras
    >>> print(keras.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]]).numpy().round(3))
    [0.571]
    """
    y_true, y_pred = aligned("concordance_correlation", y_true, y_pred)
    axes = axis if isinstance(axis, int) else tuple(axis)
    true_mean = jnp.mean(y_true, axis=axes, keepdims=True)
    mean = jnp.mean(y_pred, axis=axes, keepdims=True)
    spread = jnp.var(y_true, axis=axes, keepdims=True) + jnp.var(y_pred, axis=axes, keepdims=True)
    shared = 2 * (y_true - mean) * (y_pred - mean)
    return jnp.mean(shared / (spread + jnp.square(true_mean - mean) + epsilon()), axis=axes)
