"""Parts of metrics of predicted numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.losses.common import aligned, ratio


@op
def squared_error(y_true: TensorLike, y_pred: TensorLike) -> jax.Array:
    """Return (y_true - y_pred)^2"""
    y_true, y_pred = aligned("root_mean_squared_error", y_true, y_pred)
    return jnp.square(y_true - y_pred)


@op
def root_ratio(numerator: TensorLike, denominator: TensorLike) -> jax.Array:
    """Return sqrt(numerator / denominator), and 0 where the denominator is 0."""
    return jnp.sqrt(ratio.raw(numerator, denominator))
