"""Batches of matrix products in jax.numpy."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.typing import DTypeLike


def product(
    a: jax.Array,
    b: jax.Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
    dtype: DTypeLike | None = None,
) -> jax.Array:
    """See `matmul.batched`; leading axes broadcast."""
    a = jnp.swapaxes(a, -1, -2) if transpose_a else a
    b = jnp.swapaxes(b, -1, -2) if transpose_b else b
    return jnp.matmul(a, b, preferred_element_type=dtype)
