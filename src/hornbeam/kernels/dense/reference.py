"""The affine map of dense layers in jax.numpy."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp

Activation = Literal["relu"] | None


def affine(
    x: jax.Array,
    kernel: jax.Array,
    bias: jax.Array | None = None,
    activation: Activation = None,
) -> jax.Array:
    """See `dense.affine`."""
    y = jnp.matmul(x, kernel)
    y = y if bias is None else y + bias
    return jax.nn.relu(y) if activation == "relu" else y
