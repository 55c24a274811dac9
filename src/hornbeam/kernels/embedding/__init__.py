"""Looking rows up in a table.

Letters: n rows of the table, d their length, m rows that are looked up.
"""

from __future__ import annotations

import jax
import numpy as np

from hornbeam.core.origins import LookedUp, made_of
from hornbeam.core.tensor import is_traced
from hornbeam.core.typing import DTypeLike
from hornbeam.kernels.embedding import native
from hornbeam.kernels.embedding.gradient import pays, table_gradient
from hornbeam.kernels.embedding.reference import table_gradient as gradient_reference
from hornbeam.kernels.embedding.reference import take_rows as take_rows_reference
from hornbeam.kernels.kernel import Kernel
from hornbeam.kernels.native import suits

__all__ = ["gradient_reference", "pays", "table_gradient", "take_rows", "take_rows_reference"]


def take_rows(table: jax.Array, indices: jax.Array, dtype: DTypeLike | None = None) -> jax.Array:
    """Return table[indices] in `dtype` (None: the table's); an index outside [0, n) makes NaN, not some other row.

    table: (n, d), indices: integers (b, ...) -> (b, ..., d). Compiled code can't raise, and JAX's
    default of clamping would train silently on the wrong row; a NaN is seen. Tables of integers get
    the least value of their dtype.

    The gradient is `table_gradient`. Natively, on CPU, it may be differentiated again, and forward mode (`jax.jvp`)
    doesn't pass. The optimizers' kernel finds out what was added at which row (`AddedRows`), and a layer that takes the
    rows by which indices they were looked up (`LookedUp`), so that it may compute once what equal rows have in common
    (see `hornbeam.core.origins`).
    """
    return TAKE_ROWS(table, indices, np.dtype(dtype or table.dtype))


def _reference(table: jax.Array, indices: jax.Array, dtype: np.dtype[np.generic]) -> jax.Array:
    return take_rows_reference(table, indices).astype(dtype)


def _native(table: jax.Array, indices: jax.Array, dtype: np.dtype[np.generic]) -> jax.Array:
    # While a program is traced, no wrapping may lie around it that makes another value of the gradient.
    taken = (native.take if is_traced(table) else native.compiled_take)(dtype, table, indices)
    return made_of(taken, LookedUp(indices, table.shape[0]))


def _suits(table: jax.Array, indices: jax.Array, dtype: np.dtype[np.generic]) -> bool:
    return table.ndim == 2 and suits(table)


def _pays(table: jax.Array, indices: jax.Array, dtype: np.dtype[np.generic]) -> bool:
    return True  # the value is XLA's; whether the gradient pays, it decides by itself


TAKE_ROWS = Kernel(_reference, _native, _suits, _pays)
