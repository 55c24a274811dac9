"""Clipping, types and checks of gradients, before a rule sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.tensors.indexed_slices import of_shape


def clip_by_norm(gradient: jax.Array, limit: float) -> jax.Array:
    """Return the gradient, scaled down where its Euclidean norm exceeds `limit`."""
    return _scaled(gradient, limit, _norm(gradient))


def clip_by_global_norm(gradients: Sequence[jax.Array], limit: float) -> list[jax.Array]:
    """Return the gradients, scaled down together where the norm of all their elements exceeds `limit`."""
    norm = jnp.sqrt(sum(jnp.square(_norm(gradient)) for gradient in gradients))
    norm = jnp.where(jnp.isfinite(norm), norm, jnp.nan)  # nobody trains on what an infinity leaves
    return [_scaled(gradient, limit, norm) for gradient in gradients]


def clip_by_value(gradient: jax.Array, limit: float) -> jax.Array:
    """Return the gradient with every element between -limit and limit."""
    return jnp.clip(gradient, -limit, limit)


def clip(
    gradients: list[jax.Array],
    norm: float | None,
    global_norm: float | None,
    value: float | None,
) -> list[jax.Array]:
    """Return the gradients clipped by the first limit that is not None."""
    if norm is not None:
        return [clip_by_norm(each, norm) for each in gradients]
    if global_norm is not None:
        return clip_by_global_norm(gradients, global_norm)
    if value is not None:
        return [clip_by_value(each, value) for each in gradients]
    return gradients


def usable_gradients(
    grads: list[Any], variables: list[Variable]
) -> tuple[list[jax.Array], list[Variable]]:
    """Return raw gradients in the types of their variables, and these; leave out variables without a gradient."""
    without = [v for g, v in zip(grads, variables, strict=True) if g is None]
    names = ", ".join(repr(each.path) for each in without)
    if len(without) == len(variables):
        raise ValueError(
            f"No gradients provided for any variable. None is the gradient of {names}: what was differentiated does not "
            "depend on them, was computed outside of the tape's `with` block, or went through NumPy or `float` there."
        )
    if without:
        warn(
            f"Gradients do not exist for variables {names} when minimizing the loss: the loss does "
            "not depend on them."
        )
    pairs = []
    for gradient, variable in zip(grads, variables, strict=True):
        if gradient is None:
            continue
        stored = scope.read(variable)
        raw = unwrap(of_shape(gradient, stored.shape))
        if not isinstance(raw, jax.Array) or raw.dtype != stored.dtype:
            raw = jnp.asarray(raw).astype(stored.dtype)
        if raw.shape != stored.shape:
            raise ValueError(
                f"The gradient of {variable.path!r} has shape {raw.shape}; the variable has shape "
                f"{stored.shape}."
            )
        if variable.overwrite_with_gradient:  # e.g. a scale that the backward pass computes itself
            variable.assign(Tensor(raw))
        else:
            pairs.append((raw, variable))
    return [gradient for gradient, _ in pairs], [variable for _, variable in pairs]


def _norm(gradient: jax.Array) -> jax.Array:
    # At least float32: the sum of squares of a float16 gradient soon overflows.
    wide = gradient.astype(jnp.promote_types(gradient.dtype, jnp.float32))
    return jnp.sqrt(jnp.sum(jnp.square(wide)))


def _scaled(gradient: jax.Array, limit: float, norm: jax.Array) -> jax.Array:
    return gradient * (limit / jnp.maximum(norm, limit)).astype(gradient.dtype)


def check_variable(variable: object) -> None:
    """Raise TypeError for a tensor or another object in the place of a variable."""
    if isinstance(variable, Tensor) or not hasattr(variable, "assign"):
        raise TypeError(
            f"An optimizer updates variables; received {variable!r} of type {type(variable).__name__} in the place of one. "
            "`apply_gradients` takes pairs in this order: zip(gradients, variables)."
        )
