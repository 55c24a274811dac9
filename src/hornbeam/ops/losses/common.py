"""What losses and metrics share: truth, predictions, weights and masks brought to matching shapes and types."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand
from hornbeam.core.jax_typed import broadcast_shapes
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.ops.common import array, inexact
from hornbeam.ops.manipulation import expand_dims, squeeze


def aligned(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Return truth and prediction as arrays of one floating type and, where an axis of size 1 is missing, of one rank.

    Raises ValueError in the name of the function `name` where the shapes do not fit.
    """
    y_pred = inexact(y_pred)
    y_true = array(y_true).astype(y_pred.dtype)
    y_true, y_pred = same_rank(y_true, y_pred)
    try:
        broadcast_shapes(y_true.shape, y_pred.shape)
    except ValueError:
        raise shape_error(name, y_true, y_pred, "shapes that fit each other") from None
    return y_true, y_pred


def same_rank(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Reshape (n,) against (n, 1) to (n, 1); drop a last axis of size 1 that only one of them has otherwise.

    Without it (n,) and (n, 1) would broadcast to (n, n): every label against every prediction.
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, expand_dims.raw(b, 1)) if b.ndim == 1 else (squeeze.raw(a, -1), b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (expand_dims.raw(a, 1), b) if a.ndim == 1 else (a, squeeze.raw(b, -1))
    return a, b


def shape_error(
    name: str, y_true: jax.Array, y_pred: jax.Array, expected: str, hint: str = ""
) -> ValueError:
    """Return the error for a truth and a prediction whose shapes do not fit."""
    return ValueError(
        f"{name} expects `y_true` and `y_pred` of {expected}. Received: y_true.shape={tuple(y_true.shape)}, "
        f"y_pred.shape={tuple(y_pred.shape)}.{' ' + hint if hint else ''}"
    )


def mean_last(x: jax.Array) -> jax.Array:
    """Return the mean over the last axis; a scalar stays as it is."""
    return jnp.mean(x, axis=-1) if x.ndim else x


def per_value(weights: jax.Array, values: jax.Array, what: str) -> jax.Array:
    """Return weights or a mask with as many axes as `values`, each as long or of size 1.

    The axes are matched from the first one on, the samples: (b,) weighs whole samples of values (b, t). NumPy's own
    rule matches from the last one on, which would weigh time steps where b happens to equal t.
    Raises ValueError where the shapes do not fit.
    """
    shape = weights.shape
    if len(shape) == values.ndim + 1 and shape[-1] == 1:
        weights, shape = weights[..., 0], shape[:-1]
    fits = len(shape) <= values.ndim and all(
        w in (1, v) for w, v in zip(shape, values.shape, strict=False)
    )
    if not fits:
        raise ValueError(
            f"`{what}` must have the shape of the values that it weighs, {tuple(values.shape)}, or of their first axes. "
            f"Received: {what}.shape={tuple(weights.shape)}."
        )
    return weights.reshape(shape + (1,) * (values.ndim - len(shape)))


def weighted(values: jax.Array, weights: jax.Array) -> jax.Array:
    """Return values * weights, where weight 0 leaves a value out even if it is NaN or infinite."""
    return jnp.where(weights == 0, 0, values * weights)


def joint_mask(values: jax.Array, masks: Sequence[TensorLike]) -> jax.Array | None:
    """Combine the masks, for `values`; return None where there is none."""
    joint = None
    for each in masks:
        mask = per_value(array(each).astype(bool), values, "mask")
        joint = mask if joint is None else joint & mask
    return joint


@op
def ratio(numerator: TensorLike, denominator: TensorLike) -> jax.Array:
    """Return numerator / denominator, and 0 where the denominator is 0."""
    divisor = operand(denominator)
    is_zero = jnp.equal(divisor, 0)
    return jnp.where(is_zero, 0, operand(numerator) / jnp.where(is_zero, 1, divisor))


same_rank_op = op(same_rank)
