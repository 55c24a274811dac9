"""Operators of matrices whose diagonals hold what they are made of: tridiagonal and Toeplitz matrices."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, sizes_of
from hornbeam.linalg.operators.checks import require_rank
from hornbeam.tensors import diagonals as bands
from hornbeam.tensors import matrices


class LinearOperatorTridiag(LinearOperator):
    """A matrix of three diagonals; the formats are those of `tf.linalg.tridiagonal_solve`: (..., 3, n) -> (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorTridiag([[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]]).to_dense().numpy()
    array([[2., 1.],
           [1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        diagonals: Any,
        diagonals_format: str = "compact",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorTridiag",
    ) -> None:
        """`diagonals_format` is "compact", "matrix" or "sequence" (of three vectors of n numbers each)."""
        if diagonals_format not in ("compact", "matrix", "sequence"):
            raise ValueError(
                f"`diagonals_format` is 'matrix', 'compact' or 'sequence'; received {diagonals_format!r}."
            )
        several = diagonals_format == "sequence"
        self._diagonals = [kept(each) for each in diagonals] if several else kept(diagonals)
        self._format = diagonals_format
        if is_square is False:
            raise ValueError("Only square operators currently supported.")
        super().__init__(
            self._diagonals[1].dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"diagonals": diagonals, "diagonals_format": diagonals_format},
        )

    @property
    def diagonals(self) -> Any:
        """The diagonals, as they were given."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        """How they were given."""
        return self._format

    def _shape(self) -> TensorShape:
        if self._format == "sequence":
            sizes = sizes_of(self._diagonals[1])
            return TensorShape([*sizes, sizes[-1]])
        sizes = sizes_of(self._diagonals)
        return TensorShape([*sizes[:-2], sizes[-1], sizes[-1]])

    def _three(self) -> tuple[Any, Any, Any]:
        """Return the diagonals above (n - 1), on (n) and below (n - 1) the main one."""
        if self._format == "matrix":
            above, main, below = (
                ops.diagonal(self._diagonals, offset=k, axis1=-2, axis2=-1) for k in (1, 0, -1)
            )
            return above, main, below
        if self._format == "sequence":
            above, main, below = self._diagonals
        else:
            three: Any = self._diagonals
            above, main, below = (three[..., i, :] for i in range(3))
        size = sizes_of(main)[-1]
        return (
            above[..., : size - 1],
            main,
            below[..., -(size - 1) :] if size > 1 else below[..., :0],
        )

    def _dense(self) -> Any:
        if self._format == "matrix":
            return matrices.band_part(self._diagonals, 1, 1)
        above, main, below = self._three()
        dense = bands.diag(main)
        if sizes_of(main)[-1] > 1:
            dense = dense + bands.diag(above, k=1) + bands.diag(below, k=-1)
        return dense

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        above, main, below = self._three()
        if adjoint:
            above, main, below = ops.conj(below), ops.conj(main), ops.conj(above)
        product = ops.expand_dims(main, -1) * x
        zero = ops.zeros_like(product[..., :1, :])
        up = ops.concatenate([ops.expand_dims(above, -1) * x[..., 1:, :], zero], axis=-2)
        down = ops.concatenate([zero, ops.expand_dims(below, -1) * x[..., :-1, :]], axis=-2)
        return product + up + down

    def _diag_part(self) -> Any:
        return self._three()[1]


class LinearOperatorToeplitz(LinearOperator):
    """A matrix whose diagonals are constant, of its first column and first row: (..., n), (..., n) -> (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorToeplitz([1.0, 2.0], [1.0, 5.0]).to_dense().numpy()
    array([[1., 5.],
           [2., 1.]], dtype=float32)
    """

    def __init__(
        self,
        col: TensorLike,
        row: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorToeplitz",
    ) -> None:
        """The first numbers of both are the same; that of the column counts."""
        self._col, self._row = kept(col), kept(row)
        require_rank(self._col, 1, "col")
        require_rank(self._row, 1, "row")
        if is_square is False:
            raise ValueError("Only square Toeplitz operators currently supported.")
        super().__init__(
            self._row.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"col": col, "row": row},
        )

    @property
    def col(self) -> Any:
        """The first column."""
        return self._col

    @property
    def row(self) -> Any:
        """The first row."""
        return self._row

    def _shape(self) -> TensorShape:
        col, row = sizes_of(self._col), sizes_of(self._row)
        batch = batch_of((*col, col[-1]), (*row, row[-1]))
        return TensorShape([*batch, col[-1], row[-1]])

    def _dense(self) -> Any:
        shape = tuple(self._shape())
        size = shape[-1]
        col = ops.broadcast_to(self._col, (*shape[:-2], size))
        row = ops.broadcast_to(self._row, (*shape[:-2], size))
        numbers = ops.concatenate([ops.flip(col, axis=-1), row[..., 1:]], axis=-1)
        places = [[size - 1 - i + j for j in range(size)] for i in range(size)]
        return ops.take(numbers, places, axis=-1)

    def _diag_part(self) -> Any:
        shape = tuple(self._shape())
        return ops.broadcast_to(self._col[..., :1], (*shape[:-2], shape[-1]))
