"""Looking rows up with a native gradient."""

from __future__ import annotations

from typing import TypeAlias

import jax
import numpy as np

from hornbeam.core.origins import AddedRows, made_of
from hornbeam.kernels.embedding import reference
from hornbeam.kernels.embedding.gradient import int32, table_gradient
from hornbeam.kernels.transforms import compiled, custom_gradient


@custom_gradient(static=1)
def take(dtype: np.dtype[np.generic], table: jax.Array, indices: jax.Array) -> jax.Array:
    """See `embedding.take_rows`."""
    return reference.take_rows(table, indices).astype(dtype)


# The indices, the number of rows, and an empty part of the table, for its type.
_Saved: TypeAlias = tuple[jax.Array, int, jax.Array]


def _forward(
    dtype: np.dtype[np.generic], table: jax.Array, indices: jax.Array
) -> tuple[jax.Array, _Saved]:
    return take(dtype, table, indices), (indices, table.shape[0], table[:0])


def _backward(dtype: np.dtype[np.generic], saved: _Saved, dy: jax.Array) -> tuple[jax.Array, None]:
    del dtype
    indices, n, nothing = saved
    indices, dy = int32(indices.reshape(-1), n), dy.reshape(-1, dy.shape[-1])
    gradient = table_gradient(indices, dy.astype(nothing.dtype), n)
    return made_of(gradient, AddedRows(indices, dy)), None


take.defvjp(_forward, _backward)
compiled_take = compiled(static=1)(take)
