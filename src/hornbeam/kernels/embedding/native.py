"""Looking rows up with a native gradient."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np

from hornbeam.core.origins import AddedRows, made_of
from hornbeam.kernels.embedding import reference
from hornbeam.kernels.embedding.gradient import int32, table_gradient


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def take(dtype: np.dtype[Any], table: jax.Array, indices: jax.Array) -> jax.Array:
    """See `embedding.take_rows`."""
    return reference.take_rows(table, indices).astype(dtype)


def _forward(dtype: np.dtype[Any], table: jax.Array, indices: jax.Array) -> Any:
    return take(dtype, table, indices), (indices, table.shape[0], table[:0])


def _backward(dtype: np.dtype[Any], saved: Any, dy: jax.Array) -> Any:
    del dtype
    indices, n, nothing = saved
    indices, dy = int32(indices.reshape(-1), n), dy.reshape(-1, dy.shape[-1])
    gradient = table_gradient(indices, dy.astype(nothing.dtype), n)
    return made_of(gradient, AddedRows(indices, dy)), None


take.defvjp(_forward, _backward)
compiled_take = jax.jit(take, static_argnums=0, inline=True)  # for eager calls
