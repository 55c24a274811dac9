"""Diagonals of matrices, and matrices that have few of them, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.typing import TensorLike
from hornbeam.ops import diagonals as on_diagonals
from hornbeam.ops import matrices
from hornbeam.tensors.numbers import known_integers

Diagonals = Any
"""A number of a diagonal, or the lowest and the highest of a band."""


def _band(k: Diagonals) -> tuple[int, int]:
    numbers = known_integers(k)
    return (numbers[0], numbers[-1])


def _alignment(align: str) -> str:
    if align not in on_diagonals.ALIGNMENTS:
        raise ValueError(
            f"`align` is one of {', '.join(on_diagonals.ALIGNMENTS)}; received {align!r}."
        )
    return align


def diag(
    diagonal: TensorLike,
    name: str = "diag",
    k: Diagonals = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: TensorLike = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Return matrices with the given diagonals, `padding_value` elsewhere.

    (..., n) -> (..., rows, columns) for one diagonal `k`; for a band, k = (lowest, highest), (..., highest - lowest + 1, n).
    The shorter diagonals of a band stand on the side that `align` says, first for those above the main one, then for
    those below. -1 rows and columns are as many as the diagonals need.

    >>> import hornbeam as tf
    >>> tf.linalg.diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return on_diagonals.matrices_of_diagonals(
        diagonal, _band(k), int(num_rows), int(num_cols), padding_value, _alignment(align)
    )


def diag_part(
    input: TensorLike,
    name: str = "diag_part",
    k: Diagonals = 0,
    padding_value: TensorLike = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Return a diagonal, or a band of them: (..., m, n) -> (..., length) or (..., diagonals, longest)

    >>> import hornbeam as tf
    >>> tf.linalg.diag_part([[1, 2], [3, 4]], k=(0, 1)).numpy()
    array([[0, 2],
           [1, 4]], dtype=int32)
    """
    return on_diagonals.diagonals_of_matrices(input, _band(k), padding_value, _alignment(align))


def set_diag(
    input: TensorLike,
    diagonal: TensorLike,
    name: str = "set_diag",
    k: Diagonals = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Return matrices with some of their diagonals replaced: (..., m, n), (..., diagonals, longest) -> (..., m, n)

    >>> import hornbeam as tf
    >>> tf.linalg.set_diag([[1, 1], [1, 1]], [7, 8]).numpy()
    array([[7, 1],
           [1, 8]], dtype=int32)
    """
    return on_diagonals.with_diagonals(input, diagonal, _band(k), _alignment(align))


def tensor_diag(diagonal: TensorLike, name: str | None = None) -> Any:
    """Return zeros with `diagonal` on the diagonal: (a, b, ...) -> (a, b, ..., a, b, ...)

    >>> import hornbeam as tf
    >>> tf.linalg.tensor_diag([1, 2]).numpy()
    array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return on_diagonals.tensor_of_diagonal(diagonal)


def tensor_diag_part(input: TensorLike, name: str | None = None) -> Any:
    """Return the diagonal of a tensor: (a, b, ..., a, b, ...) -> (a, b, ...)"""
    return on_diagonals.diagonal_of_tensor(input)


def _three(diagonals_of: Any, form: str) -> tuple[Any, Any, Any]:
    """Return the diagonals above, on and below the main one, each (..., m)."""
    if form == "matrix":
        size = diagonals_of.shape[-1] if hasattr(diagonals_of, "shape") else len(diagonals_of)
        compact = on_diagonals.diagonals_of_matrices(
            diagonals_of, (-min(1, size - 1), min(1, size - 1)), 0, "LEFT_RIGHT"
        )
        return _three(compact, "compact") if size > 1 else (compact,) * 3
    if form == "compact":
        above, middle, below = ops.unstack(diagonals_of, 3, -2)
        return above, middle, below
    if form != "sequence":
        raise ValueError(
            f"`diagonals_format` is 'compact', 'sequence' or 'matrix'; received {form!r}."
        )
    above, middle, below = (ops.convert_to_tensor(each) for each in diagonals_of)
    size, lead = middle.shape[-1], [(0, 0)] * (len(middle.shape) - 1)
    if above.shape[-1] == size - 1:
        above = ops.pad(above, (*lead, (0, 1)))
    if below.shape[-1] == size - 1:
        below = ops.pad(below, (*lead, (1, 0)))
    return above, middle, below


def tridiagonal_solve(
    diagonals: Any,
    rhs: TensorLike,
    diagonals_format: str = "compact",
    transpose_rhs: bool = False,
    conjugate_rhs: bool = False,
    name: str | None = None,
    partial_pivoting: bool = True,
    perturb_singular: bool = False,
) -> Any:
    """Return x with A x = rhs for a matrix A of three diagonals. rhs: (..., m) or (..., m, k)

    The diagonals above, on and below the main one are the rows of (..., 3, m) ("compact"), a list ("sequence"), or those of a
    whole matrix ("matrix"). The last element above and the first below are not used.

    >>> import hornbeam as tf
    >>> tf.linalg.tridiagonal_solve([[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]], [3.0, 3.0]).numpy()
    array([1., 1.], dtype=float32)
    """
    parts = _three(diagonals, diagonals_format)
    right: Any = ops.convert_to_tensor(rhs)
    right = ops.conj(right) if conjugate_rhs else right
    is_vector = len(right.shape) == len(parts[1].shape)
    if is_vector:
        right = ops.expand_dims(right, -1)
    elif transpose_rhs:
        right = ops.swapaxes(right, -1, -2)
    found = on_diagonals.tridiagonal_solve(*parts, right)
    return ops.squeeze(found, -1) if is_vector else found


def tridiagonal_matmul(
    diagonals: Any, rhs: TensorLike, diagonals_format: str = "compact", name: str | None = None
) -> Any:
    """Return A rhs for a matrix A of three diagonals, given as in `tridiagonal_solve`. rhs: (..., m, k)

    >>> import hornbeam as tf
    >>> tf.linalg.tridiagonal_matmul([[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]], [[1.0], [1.0]]).numpy()
    array([[3.],
           [3.]], dtype=float32)
    """
    return on_diagonals.tridiagonal_matmul(*_three(diagonals, diagonals_format), rhs)


def banded_triangular_solve(
    bands: TensorLike,
    rhs: TensorLike,
    lower: bool = True,
    adjoint: bool = False,
    name: str | None = None,
) -> Any:
    """Return x with A x = rhs for a triangular matrix of few diagonals, the rows of `bands`: (..., k, m), (..., m, n) -> (..., m, n)

    The element of a diagonal stands at the place of its row of the matrix. A lower triangle has its main diagonal first, an
    upper one last. `adjoint` solves with the conjugate of the transposed matrix.
    """
    matrix = on_diagonals.banded_matrix(bands, lower)
    if adjoint:
        return ops.solve_triangular(matrices.adjoint(matrix), rhs, not lower)
    return ops.solve_triangular(matrix, rhs, lower)
