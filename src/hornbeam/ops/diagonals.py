"""Diagonals of batches of matrices: made, read, replaced; matrices that have few of them.

A band of diagonals is kept as (..., diagonals, longest), from the highest to the lowest, each aligned to one side.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import jax_typed as typed
from hornbeam.core.op import op
from hornbeam.core.typing import NumpyArray, TensorLike
from hornbeam.ops.common import array, inexact, inexact_pair

ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
Band = tuple[int, int]


class _Places(NamedTuple):
    """Where the elements of a band are: (diagonal, place) in the compact form, (row, column) in the matrix."""

    diagonal: NumpyArray
    place: NumpyArray
    row: NumpyArray
    column: NumpyArray
    longest: int


def _places(rows: int, columns: int, band: Band, align: str) -> _Places:
    above, _, below = align.partition("_")
    low, high = band
    if low > high or high >= columns or -low >= rows:
        raise ValueError(
            f"there are no diagonals {low} to {high} in a matrix of {rows} x {columns} elements."
        )
    lengths = [min(rows + min(d, 0), columns - max(d, 0)) for d in range(high, low - 1, -1)]
    longest = max(lengths)
    found: list[list[tuple[int, int, int, int]]] = []
    for i, length in enumerate(lengths):
        d = high - i
        is_left = (d >= 0 and above == "LEFT") or (d <= 0 and below == "LEFT")
        start = 0 if is_left else longest - length
        found.append([(i, start + n, n + max(-d, 0), n + max(d, 0)) for n in range(length)])
    columns_of = np.array([each for part in found for each in part], "int32").T
    return _Places(columns_of[0], columns_of[1], columns_of[2], columns_of[3], longest)


@op(name="tf.linalg.diag")
def matrices_of_diagonals(
    diagonal: TensorLike,
    band: Band,
    rows: int,
    columns: int,
    padding: TensorLike,
    align: str,
) -> jax.Array:
    """Return matrices with the given band of diagonals, `padding` elsewhere: (..., diagonals, n) -> (..., rows, columns)"""
    diagonal = array(diagonal)
    if band[0] == band[1]:
        diagonal = diagonal[..., None, :]
    rows, columns = _size(diagonal.shape[-1], band, rows, columns)
    at = _places(rows, columns, band, align)
    shape = (*diagonal.shape[:-2], rows, columns)
    if diagonal.shape[-2:] != (band[1] - band[0] + 1, at.longest):
        raise ValueError(
            f"the diagonals {band[0]} to {band[1]} of matrices of {rows} x {columns} elements have the shape "
            f"(..., {band[1] - band[0] + 1}, {at.longest}); received {diagonal.shape}."
        )
    empty = jnp.full(shape, jnp.asarray(padding, diagonal.dtype))
    return empty.at[..., at.row, at.column].set(diagonal[..., at.diagonal, at.place])


def _size(longest: int, band: Band, rows: int, columns: int) -> tuple[int, int]:
    """Return the number of rows and columns; -1 is the least that holds the longest diagonal, both: a square."""
    least = longest - min(band[1], 0), longest + max(band[0], 0)
    if rows == columns == -1:
        return (max(least), max(least))
    return (least[0] if rows == -1 else rows, least[1] if columns == -1 else columns)


@op(name="tf.linalg.diag_part")
def diagonals_of_matrices(x: TensorLike, band: Band, padding: TensorLike, align: str) -> jax.Array:
    """Return a band of diagonals: (..., m, n) -> (..., diagonals, longest), or (..., longest) for one."""
    x = array(x)
    at = _places(x.shape[-2], x.shape[-1], band, align)
    shape = (*x.shape[:-2], band[1] - band[0] + 1, at.longest)
    empty = jnp.full(shape, jnp.asarray(padding, x.dtype))
    found = empty.at[..., at.diagonal, at.place].set(x[..., at.row, at.column])
    return found[..., 0, :] if band[0] == band[1] else found


@op(name="tf.linalg.set_diag")
def with_diagonals(x: TensorLike, diagonal: TensorLike, band: Band, align: str) -> jax.Array:
    """Return matrices with a band of their diagonals replaced: (..., m, n), (..., diagonals, longest) -> (..., m, n)"""
    x, diagonal = array(x), array(diagonal)
    if band[0] == band[1]:
        diagonal = diagonal[..., None, :]
    at = _places(x.shape[-2], x.shape[-1], band, align)
    return x.at[..., at.row, at.column].set(diagonal[..., at.diagonal, at.place].astype(x.dtype))


@op(name="tf.linalg.tensor_diag")
def tensor_of_diagonal(x: TensorLike) -> jax.Array:
    """Return zeros with x on the diagonal: (a, b, ...) -> (a, b, ..., a, b, ...)"""
    x = array(x)
    return jnp.diag(jnp.ravel(x)).reshape(*x.shape, *x.shape)


@op(name="tf.linalg.tensor_diag_part")
def diagonal_of_tensor(x: TensorLike) -> jax.Array:
    """Return the diagonal of a tensor: (a, b, ..., a, b, ...) -> (a, b, ...)"""
    x = array(x)
    half = x.shape[: x.ndim // 2]
    if x.ndim % 2 or x.shape != half + half:
        raise ValueError(
            f"expected a tensor of the shape (a, b, ..., a, b, ...); received shape {x.shape}."
        )
    size = int(np.prod(half))
    return typed.diagonal(x.reshape(size, size)).reshape(half)


@op(name="tf.linalg.tridiagonal_solve")
def tridiagonal_solve(
    above: TensorLike, middle: TensorLike, below: TensorLike, rhs: TensorLike
) -> jax.Array:
    """Return x with A x = rhs, (..., m, k), for A with three diagonals, each (..., m)

    The last element of `above` and the first of `below` are not used.
    """
    middle, rhs = inexact_pair(middle, rhs)
    above, below = array(above).astype(rhs.dtype), array(below).astype(rhs.dtype)
    above = above.at[..., -1].set(0)
    below = below.at[..., 0].set(0)
    return typed.tridiagonal_solve(below, middle, above, rhs)


@op(name="tf.linalg.tridiagonal_matmul")
def tridiagonal_matmul(
    above: TensorLike, middle: TensorLike, below: TensorLike, rhs: TensorLike
) -> jax.Array:
    """Return A rhs, (..., m, k), for A with three diagonals, each (..., m)

    The last element of `above` and the first of `below` are not used.
    """
    rhs = inexact(rhs)
    found = array(middle)[..., None] * rhs
    found = found.at[..., :-1, :].add(array(above)[..., :-1, None] * rhs[..., 1:, :])
    return found.at[..., 1:, :].add(array(below)[..., 1:, None] * rhs[..., :-1, :])


@op(name="tf.linalg.banded_triangular_solve")
def banded_matrix(bands: TensorLike, lower: bool) -> jax.Array:
    """Return the triangular matrices whose diagonals are the rows of `bands`: (..., k, m) -> (..., m, m)

    The element of a diagonal stands at the place of its row of the matrix. A lower triangle has its main diagonal
    first, an upper one last.
    """
    bands = array(bands)
    count, size = bands.shape[-2:]
    found = jnp.zeros((*bands.shape[:-2], size, size), bands.dtype)
    for i in range(count):
        offset = -i if lower else count - 1 - i
        rows = np.arange(max(-offset, 0), size - max(offset, 0))
        found = found.at[..., rows, rows + offset].set(bands[..., i, rows])
    return found
