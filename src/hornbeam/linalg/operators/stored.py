"""Operators of stored matrices: whole ones, triangles, diagonals."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, register, sizes_of
from hornbeam.linalg.operators.checks import require_rank
from hornbeam.tensors import diagonals as bands
from hornbeam.tensors import matrices


class LinearOperatorDiag(LinearOperator):
    """A diagonal matrix: (..., n) -> (..., n, n)

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorDiag([1.0, -2.0])
    >>> operator.to_dense().numpy().tolist(), operator.solvevec([3.0, 4.0]).numpy().tolist()
    ([[1.0, 0.0], [0.0, -2.0]], [3.0, -2.0])
    """

    def __init__(
        self,
        diag: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorDiag",
    ) -> None:
        """A real diagonal makes it self-adjoint. Raises ValueError for a diagonal without an axis."""
        self._diag = kept(diag)
        require_rank(self._diag, 1, "diag")
        if not self._diag.dtype.is_complex:
            if is_self_adjoint is False:
                raise ValueError("A real diagonal operator is always self adjoint.")
            is_self_adjoint = True
        if is_square is False:
            raise ValueError("Only square diagonal operators currently supported.")
        super().__init__(
            self._diag.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"diag": diag},
        )

    @property
    def diag(self) -> Any:
        """The diagonal."""
        return self._diag

    def _shape(self) -> TensorShape:
        sizes = sizes_of(self._diag)
        return TensorShape([*sizes, sizes[-1]])

    def _column(self, adjoint: bool) -> Any:
        return ops.expand_dims(ops.conj(self._diag) if adjoint else self._diag, -1)

    def _dense(self) -> Any:
        return bands.diag(self._diag)

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return self._column(adjoint) * x

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return rhs / self._column(adjoint)

    def _times(self, other: LinearOperator) -> LinearOperator:
        if isinstance(other, LinearOperatorDiag):
            return LinearOperatorDiag(self._diag * other._diag)
        return super()._times(other)

    def _determinant(self) -> Any:
        return ops.prod(self._diag, axis=-1)

    def _log_abs_determinant(self) -> Any:
        return ops.sum(ops.log(ops.abs(self._diag)), axis=-1)

    def _diag_part(self) -> Any:
        return self._diag

    _eigvals = _diag_part

    def _adjoint(self) -> LinearOperator:
        return type(self)(ops.conj(self._diag), self.is_non_singular)

    def _inverse(self) -> LinearOperator:
        return type(self)(
            1.0 / self._diag,
            self.is_non_singular,
            self.is_self_adjoint,
            self.is_positive_definite,
        )

    def _cholesky(self) -> LinearOperator:
        return type(self)(ops.sqrt(self._diag), True, True, True)


class LinearOperatorFullMatrix(LinearOperator):
    """A matrix that is written out: (..., m, n)

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]])
    >>> operator.matvec([1.0, 1.0]).numpy(), round(float(operator.determinant()), 3)
    (array([3., 7.], dtype=float32), -2.0)
    """

    def __init__(
        self,
        matrix: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorFullMatrix",
    ) -> None:
        """Raises ValueError for less than two axes."""
        self._matrix = kept(matrix)
        require_rank(self._matrix, 2, "matrix")
        super().__init__(
            self._matrix.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            {"matrix": matrix},
        )

    @property
    def matrix(self) -> Any:
        """The matrix."""
        return self._matrix

    def _shape(self) -> TensorShape:
        return TensorShape(sizes_of(self._matrix))

    def _dense(self) -> Any:
        return ops.convert_to_tensor(self._matrix)


class LinearOperatorLowerTriangular(LinearOperator):
    """The lower triangle of a matrix, the rest being 0: (..., n, n)

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorLowerTriangular([[1.0, 7.0], [3.0, 4.0]])
    >>> operator.solvevec([1.0, 7.0]).numpy(), float(operator.determinant())
    (array([1., 1.], dtype=float32), 4.0)
    """

    def __init__(
        self,
        tril: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:
        """Raises ValueError for less than two axes."""
        self._tril = kept(tril)
        require_rank(self._tril, 2, "tril")
        if is_square is False:
            raise ValueError("Only square lower triangular operators supported at this time.")
        super().__init__(
            self._tril.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"tril": tril},
        )

    @property
    def tril(self) -> Any:
        """The matrix that was given."""
        return self._tril

    def _shape(self) -> TensorShape:
        return TensorShape(sizes_of(self._tril))

    def _dense(self) -> Any:
        return matrices.band_part(self._tril, -1, 0)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        sizes = batch_of(self._shape(), rhs.shape)
        matrix = ops.broadcast_to(self._dense(), (*sizes, *self._shape()[-2:]))
        given = ops.broadcast_to(rhs, (*sizes, *rhs.shape[-2:]))
        return matrices.triangular_solve(matrix, given, lower=True, adjoint=adjoint)

    def _diag_part(self) -> Any:
        return ops.diagonal(self._tril, axis1=-2, axis2=-1)

    def _determinant(self) -> Any:
        return ops.prod(self._diag_part(), axis=-1)

    def _log_abs_determinant(self) -> Any:
        return ops.sum(ops.log(ops.abs(self._diag_part())), axis=-1)

    def _eigvals(self) -> Any:
        return self._diag_part()


register("lower", LinearOperatorLowerTriangular)
