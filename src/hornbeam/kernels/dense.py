"""The affine map of dense layers."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def affine(x: jax.Array, kernel: jax.Array, bias: jax.Array | None = None) -> jax.Array:
    """x @ kernel + bias on the last axis.

    x: (b, ..., d), kernel: (d, units), bias: (units,) -> (b, ..., units)
    """
    product = jnp.matmul(x, kernel)
    return product if bias is None else product + bias
