"""Cross-entropies: -log of the probability given to what is true, without reduction over the batch.

Probabilities that a sigmoid or softmax has made are not read: their logits are, in float32. A probability that is
rounded to 1 or kept away from 0 has no gradient, and a narrow type rounds soon: bfloat16 from a logit of 6 on. See
docs/design/0019.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp

from hornbeam.core.config import epsilon
from hornbeam.core.jax_typed import finfo, iota
from hornbeam.core.op import op
from hornbeam.core.origins import Probabilities, origin_of
from hornbeam.core.shapes import axis_from_front
from hornbeam.core.typing import TensorLike
from hornbeam.core.user_code import warn
from hornbeam.ops.common import array, class_numbers, inexact

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


@op
def binary_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False
) -> jax.Array:
    """Return -(target * log(p) + (1 - target) * log(1 - p)) for each element

    p is `output`, kept epsilon away from 0 and 1, or sigmoid(output) for logits. Both have the same
    shape. Behind a sigmoid or softmax it is computed from its logits, in float32.

    >>> from hornbeam.keras import ops
    >>> print(ops.binary_crossentropy([1.0, 0.0], [0.9, 0.2]).numpy())
    [0.1054 0.2231]
    """
    output = inexact(output)
    target = array(target).astype(output.dtype)
    if target.shape != output.shape:
        raise _different_shapes(target, output)
    origin = logits_behind(output, from_logits, "binary_crossentropy")
    if origin is not None:
        yes, no = _log_odds(origin)
        return (-target * yes - (1 - target) * no).astype(output.dtype)
    if from_logits:
        return -target * jax.nn.log_sigmoid(output) - (1 - target) * jax.nn.log_sigmoid(-output)
    output = _inside_unit_interval(output)
    return -target * jnp.log(output) - (1 - target) * jnp.log(1 - output)


@op
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    """Return -sum(target * log(p)) over the axis of classes

    p is `output` divided by its sum and kept epsilon away from 0 and 1, or softmax(output) for
    logits. Behind a softmax or sigmoid it is computed from its logits, in float32.
    target, output: (b, ..., classes) -> (b, ...)

    >>> from hornbeam.keras import ops
    >>> print(ops.categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8]]).numpy())
    [0.2231]
    """
    output = inexact(output)
    target = array(target).astype(output.dtype)
    if target.shape != output.shape:
        raise _different_shapes(target, output)
    log_p = _log_probabilities(output, from_logits, axis, "categorical_crossentropy")
    return -jnp.sum(target * log_p, axis=axis).astype(output.dtype)


@op
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> jax.Array:
    """Return -log(p[target]), where the target is the number of the class

    target: integers (b, ...) or (b, ..., 1), output: (b, ..., classes) -> (b, ...); p as in
    `categorical_crossentropy`. A target that is not a class costs NaN: compiled code can't raise, and a
    loss of 0, as in Keras on JAX, hides the mistake.

    >>> from hornbeam.keras import ops
    >>> print(ops.sparse_categorical_crossentropy([1, 2], [[0.2, 0.8], [0.5, 0.5]]).numpy())
    [0.2231 nan]
    """
    output = inexact(output)
    target = class_numbers(target)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, axis=-1)
    axis = axis_from_front(axis, output.ndim)
    if target.shape != output.shape[:axis] + output.shape[axis + 1 :]:
        raise ValueError(
            "`target` must have the shape of `output` without its axis of classes "
            f"(axis={axis}). Received: target.shape={target.shape}, output.shape={output.shape}."
        )
    log_p = _log_probabilities(output, from_logits, axis, "sparse_categorical_crossentropy")
    classes = output.shape[axis]
    # Comparing with all classes fuses into the softmax; a gather and its scatter gradient do not.
    chosen = iota("int32", output.shape, axis) == jnp.expand_dims(target, axis)
    loss = -jnp.sum(jnp.where(chosen, log_p, 0), axis=axis)
    return jnp.where((target >= 0) & (target < classes), loss, jnp.nan).astype(output.dtype)


def logits_behind(output: jax.Array, from_logits: bool, name: str) -> Probabilities | None:
    """Return the logits that probabilities were made of, as float32 at least; None where they are not known.

    Warns where `from_logits` says that the output holds logits itself, in the name of the function `name`.
    """
    origin = origin_of(output, Probabilities)
    if origin is None:
        return None
    if from_logits:
        made = "sigmoid" if origin.axis is None else "softmax"
        warn(
            f"{name} received `from_logits=True`, but its output comes from a {made} and holds probabilities. The loss "
            "is computed from the logits before it; leave out the activation, or `from_logits`."
        )
    wide = jnp.promote_types(origin.logits.dtype, jnp.float32)
    return replace(origin, logits=origin.logits.astype(wide))


def _log_odds(origin: Probabilities) -> tuple[jax.Array, jax.Array]:
    """Return log(p) and log(1 - p) for each element."""
    if origin.axis is None:
        return jax.nn.log_sigmoid(origin.logits), jax.nn.log_sigmoid(-origin.logits)
    log_p = jax.nn.log_softmax(origin.logits, axis=origin.axis)
    # No difference of large numbers, but where p is rounded to 1 there is nothing to take the logarithm of.
    return log_p, jnp.log(jnp.maximum(-jnp.expm1(log_p), epsilon()))


def log_distribution(origin: Probabilities, axis: int) -> jax.Array:
    """Return log(p / sum(p)) over the axis of classes."""
    if origin.axis == axis % origin.logits.ndim:
        return jax.nn.log_softmax(origin.logits, axis=axis)
    if origin.axis is None:
        log_p = jax.nn.log_sigmoid(origin.logits)
    else:
        log_p = jax.nn.log_softmax(origin.logits, axis=origin.axis)
    return jax.nn.log_softmax(log_p, axis=axis)


def _log_probabilities(output: jax.Array, from_logits: bool, axis: int, name: str) -> jax.Array:
    if output.ndim < 1:
        raise ValueError(f"`output` needs an axis of classes; received shape {output.shape}.")
    origin = logits_behind(output, from_logits, name)
    if origin is not None:
        return log_distribution(origin, axis)
    if from_logits:
        return jax.nn.log_softmax(output, axis=axis)
    output = output / jnp.sum(output, axis=axis, keepdims=True)
    return jnp.log(_inside_unit_interval(output))


def _inside_unit_interval(p: jax.Array) -> jax.Array:
    """Return p, far enough from 0 and 1 that log(p) and log(1 - p) are finite in its type."""
    info = finfo(p.dtype)
    low = max(epsilon(), float(info.smallest_normal))
    return jnp.clip(p, low, 1 - max(epsilon(), float(info.epsneg)))


def _different_shapes(target: jax.Array, output: jax.Array) -> ValueError:
    return ValueError(
        "`target` and `output` must have the same shape. "
        f"Received: target.shape={target.shape}, output.shape={output.shape}."
    )
