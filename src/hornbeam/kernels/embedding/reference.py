"""Looking rows up, and the gradient of that, in jax.numpy."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def take_rows(table: jax.Array, indices: jax.Array) -> jax.Array:
    """See `embedding.take_rows`; differentiated by JAX."""
    # Negative indices would count from the end; moving them past the end makes them out of range.
    outside = jnp.where(indices < 0, table.shape[0], indices)
    return jnp.take(table, outside, axis=0, mode="fill")


def table_gradient(n: int, indices: jax.Array, dy: jax.Array) -> jax.Array:
    """See `embedding.table_gradient`."""
    outside = jnp.where(indices < 0, n, indices)
    return jnp.zeros((n, dy.shape[1]), dy.dtype).at[outside].add(dy, mode="drop")
