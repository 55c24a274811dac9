"""The adjoint and the inverse of an operator."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.linalg.operators.base import Hint, LinearOperator, register
from hornbeam.linalg.operators.checks import joint
from hornbeam.tensors import matrices


class LinearOperatorAdjoint(LinearOperator):
    """A^H of an operator A: (..., m, n) -> (..., n, m)

    >>> import hornbeam as tf
    >>> matrix = tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0], [3.0, 4.0]])
    >>> tf.linalg.LinearOperatorAdjoint(matrix).matvec([1.0, 1.0]).numpy()
    array([4., 6.], dtype=float32)
    """

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str | None = None,
    ) -> None:
        """The hints are those of the operator."""
        self._operator = operator
        super().__init__(
            operator.dtype,
            None,
            joint("is_non_singular", is_non_singular, operator.is_non_singular),
            joint("is_self_adjoint", is_self_adjoint, operator.is_self_adjoint),
            joint("is_positive_definite", is_positive_definite, operator.is_positive_definite),
            is_square,
            name or f"{operator.name}_adjoint",
            {"operator": operator},
        )

    @property
    def operator(self) -> LinearOperator:
        """The operator whose adjoint it is."""
        return self._operator

    def _shape(self) -> TensorShape:
        sizes = self._operator.shape
        return TensorShape([*sizes[:-2], sizes[-1], sizes[-2]])

    def _dense(self) -> Any:
        return matrices.adjoint(self._operator.to_dense())

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return self._operator.matmul(x, adjoint=not adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._operator.solve(rhs, adjoint=not adjoint)

    def _determinant(self) -> Any:
        return ops.conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Any:
        return self._operator.log_abs_determinant()

    def _diag_part(self) -> Any:
        return ops.conj(self._operator.diag_part())

    def _adjoint(self) -> LinearOperator:
        return self._operator


class LinearOperatorInversion(LinearOperator):
    """A^-1 of an operator A: (..., n, n)

    >>> import hornbeam as tf
    >>> triangle = tf.linalg.LinearOperatorLowerTriangular([[1.0, 0.0], [3.0, 4.0]])
    >>> tf.linalg.LinearOperatorInversion(triangle).matvec([1.0, 7.0]).numpy()
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str | None = None,
    ) -> None:
        """Raises ValueError for an operator that is known to be singular or not square."""
        if not operator.is_square:
            raise ValueError(
                f"operator must be square. Received: operator={operator} of shape {operator.shape}"
            )
        if operator.is_non_singular is False:
            raise ValueError(
                f"operator must be non-singular, but it is known to be singular: {operator}"
            )
        if is_non_singular is False:
            raise ValueError("An inverse is non-singular.")
        self._operator = operator
        super().__init__(
            operator.dtype,
            None,
            joint("is_non_singular", is_non_singular, operator.is_non_singular),
            joint("is_self_adjoint", is_self_adjoint, operator.is_self_adjoint),
            joint("is_positive_definite", is_positive_definite, operator.is_positive_definite),
            True,
            name or f"{operator.name}_inv",
            {"operator": operator},
        )

    @property
    def operator(self) -> LinearOperator:
        """The operator whose inverse it is."""
        return self._operator

    def _shape(self) -> TensorShape:
        return self._operator.shape

    def _dense(self) -> Any:
        return self._operator.solve(ops.eye(int(self.range_dimension), dtype=self.dtype))

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return self._operator.solve(x, adjoint=adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._operator.matmul(rhs, adjoint=adjoint)

    def _determinant(self) -> Any:
        return 1.0 / self._operator.determinant()

    def _log_abs_determinant(self) -> Any:
        return -self._operator.log_abs_determinant()

    def _inverse(self) -> LinearOperator:
        return self._operator


register("adjoint", LinearOperatorAdjoint)
register("inversion", LinearOperatorInversion)
