"""Weights moved to the nearest allowed value, and penalties on them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core import kinks
from hornbeam.core.arithmetic import operand
from hornbeam.core.config import epsilon
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike


@op
def with_norms(
    w: TensorLike, low: float, high: float | None, rate: float, axis: int | Sequence[int]
) -> jax.Array:
    """Return w with its norms along `axis` moved by the share `rate` into [low, high]."""
    w = jnp.asarray(w)
    axes = axis if isinstance(axis, int) else tuple(axis)
    norms = jnp.sqrt(jnp.sum(jnp.square(w), axis=axes, keepdims=True))
    wanted = rate * jnp.clip(norms, low, high) + (1 - rate) * norms
    return w * (wanted / (epsilon() + norms))


@op
def without_negatives(w: TensorLike) -> jax.Array:
    """Return max(w, 0)"""
    return jnp.maximum(operand(w), 0)


@op
def l1_l2_penalty(x: TensorLike, l1: float, l2: float) -> jax.Array:
    """Return l1 * sum |x| + l2 * sum x^2; a term whose factor is 0 is left out."""
    x = jnp.asarray(x)
    penalty = jnp.zeros((), x.dtype)
    if l1:
        penalty = penalty + l1 * jnp.sum(kinks.absolute(x))
    if l2:
        penalty = penalty + l2 * jnp.sum(jnp.square(x))
    return penalty


@op
def orthogonal_penalty(x: TensorLike, factor: float, mode: str) -> jax.Array:
    """Return factor * the mean of |cos| of the angles between all pairs of rows (or columns) of x."""
    rows = jnp.asarray(x) if mode == "rows" else jnp.asarray(x).T
    squares = jnp.sum(jnp.square(rows), axis=1, keepdims=True)
    rows = rows / jnp.sqrt(jnp.maximum(squares, epsilon()))  # a row of zeros is orthogonal to all
    count = rows.shape[0]
    cosines = jnp.abs(rows @ rows.T) * (1 - jnp.eye(count, dtype=rows.dtype))
    return factor * jnp.sum(cosines) / max(1, count * (count - 1))
