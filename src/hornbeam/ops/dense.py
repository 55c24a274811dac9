"""Dense maps, biases and embeddings."""

from __future__ import annotations

import jax

from hornbeam.core import fusion
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.kernels import dense, embedding
from hornbeam.ops.common import array, class_numbers, inexact, inexact_pair


@op
def affine(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> jax.Array:
    """Return x @ kernel + bias on the last axis; x: (b, ..., d), kernel: (d, units) -> (b, ..., units)"""
    x, kernel = inexact_pair(x, kernel)
    return dense.affine(x, kernel, None if bias is None else inexact(bias))


@op
def bias_add(x: TensorLike, bias: TensorLike, data_format: str) -> jax.Array:
    """Return x + bias along the channels; x: (b, s..., c) channels last or (b, c, s...) channels first, bias: (c,)"""
    x, bias = array(x), array(bias)
    if data_format == "channels_last":
        offered = fusion.offered(x, fusion.BiasAdd)
        return x + bias if offered is None else offered.compute(bias)
    return x + bias.reshape(-1, *[1] * (x.ndim - 2))


@op
def embedding_lookup(
    table: TensorLike, indices: TensorLike, dtype: DTypeLike | None = None
) -> jax.Array:
    """Return table[indices] in `dtype` (None: the table's); NaN for an index outside the table, never another row.

    table: (n, d), indices: integers (b, ...) -> (b, ..., d)
    """
    kind = None if dtype is None else canonical(dtype)
    return embedding.take_rows(array(table), class_numbers(indices), kind)
