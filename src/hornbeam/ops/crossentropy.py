"""Cross-entropies: -log of the probability given to what is true, without reduction over the batch."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.ops.common import TensorLike, array, inexact

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


@op
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """-(target * log(p) + (1 - target) * log(1 - p)) for each element

    p is `output`, kept epsilon away from 0 and 1, or sigmoid(output) for logits. Both have the same
    shape.

    >>> from hornbeam.keras import ops
    >>> print(ops.binary_crossentropy([1.0, 0.0], [0.9, 0.2]).numpy())
    [0.1054 0.2231]
    """
    output = inexact(output)
    target = array(target).astype(output.dtype)
    if target.shape != output.shape:
        raise _different_shapes(target, output)
    if from_logits:
        return -target * jax.nn.log_sigmoid(output) - (1 - target) * jax.nn.log_sigmoid(-output)
    output = _inside_unit_interval(output)
    return -target * jnp.log(output) - (1 - target) * jnp.log(1 - output)


@op
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """-sum(target * log(p)) over the axis of classes

    p is `output` divided by its sum and kept epsilon away from 0 and 1, or softmax(output) for
    logits. target, output: (b, ..., classes) -> (b, ...)

    >>> from hornbeam.keras import ops
    >>> print(ops.categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8]]).numpy())
    [0.2231]
    """
    output = inexact(output)
    target = array(target).astype(output.dtype)
    if target.shape != output.shape:
        raise _different_shapes(target, output)
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis=axis)


@op
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """-log(p[target]), where the target is the number of the class

    target: integers (b, ...) or (b, ..., 1), output: (b, ..., classes) -> (b, ...); p as in
    `categorical_crossentropy`. A target that is no class gives NaN: compiled code can't raise, and a
    loss of 0, as Keras on JAX gives it, hides the mistake.

    >>> from hornbeam.keras import ops
    >>> print(ops.sparse_categorical_crossentropy([1, 2], [[0.2, 0.8], [0.5, 0.5]]).numpy())
    [0.2231 nan]
    """
    output = inexact(output)
    target = array(target).astype("int32")
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, axis=-1)
    axis = axis % output.ndim
    if target.shape != output.shape[:axis] + output.shape[axis + 1 :]:
        raise ValueError(
            "`target` must have the shape of `output` without its axis of classes "
            f"(axis={axis}). Received: target.shape={target.shape}, output.shape={output.shape}."
        )
    log_p = _log_probabilities(output, from_logits, axis)
    classes = output.shape[axis]
    # Comparing with all classes fuses into the softmax; a gather and its scatter gradient do not.
    chosen = jax.lax.broadcasted_iota("int32", output.shape, axis) == jnp.expand_dims(target, axis)
    loss = -jnp.sum(jnp.where(chosen, log_p, 0), axis=axis)
    return jnp.where((target >= 0) & (target < classes), loss, jnp.nan)


def _log_probabilities(output: jax.Array, from_logits: bool, axis: int) -> jax.Array:
    if output.ndim < 1:
        raise ValueError(f"`output` needs an axis of classes; received shape {output.shape}.")
    if from_logits:
        return jax.nn.log_softmax(output, axis=axis)
    output = output / jnp.sum(output, axis=axis, keepdims=True)
    return jnp.log(_inside_unit_interval(output))


def _inside_unit_interval(p: jax.Array) -> jax.Array:
    """p, far enough from 0 and 1 that log(p) and log(1 - p) are finite in its type."""
    info = jnp.finfo(p.dtype)
    low = max(epsilon(), float(info.smallest_normal))
    return jnp.clip(p, low, 1 - max(epsilon(), float(info.epsneg)))


def _different_shapes(target: jax.Array, output: jax.Array) -> ValueError:
    return ValueError(
        "`target` and `output` must have the same shape. "
        f"Received: target.shape={target.shape}, output.shape={output.shape}."
    )
