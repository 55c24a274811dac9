"""Looking rows up in a table."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def take_rows(table: jax.Array, indices: jax.Array) -> jax.Array:
    """table[indices], where an index outside [0, n) gives NaN instead of some other row.

    table: (n, d), indices: integers (b, ...) -> (b, ..., d). Compiled code can't raise, and JAX's
    default of clamping would train silently on the wrong row; a NaN is seen. Tables of integers get
    the least value of their dtype.
    """
    # Negative indices would count from the end; moving them past the end makes them out of range.
    outside = jnp.where(indices < 0, table.shape[0], indices)
    return jnp.take(table, outside, axis=0, mode="fill")
