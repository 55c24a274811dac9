"""Operators that differ from another one by a matrix of low rank."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, sizes_of
from hornbeam.linalg.operators.checks import joint
from hornbeam.linalg.operators.multiples import LinearOperatorIdentity
from hornbeam.linalg.operators.stored import LinearOperatorDiag
from hornbeam.tensors import matrices


class LinearOperatorLowRankUpdate(LinearOperator):
    """L + U D V^H, of an operator L (..., m, n), U (..., m, k), V (..., n, k) and a diagonal D (..., k)

    V is U and D is 1 where they are left out. With few columns, solving and the determinant cost little more than
    those of L: by the lemmas of Woodbury and of the determinant.

    >>> import hornbeam as tf
    >>> base = tf.linalg.LinearOperatorDiag([1.0, 1.0], is_non_singular=True)
    >>> tf.linalg.LinearOperatorLowRankUpdate(base, [[1.0], [2.0]]).to_dense().numpy()
    array([[2., 2.],
           [2., 5.]], dtype=float32)
    """

    def __init__(
        self,
        base_operator: LinearOperator,
        u: TensorLike,
        diag_update: TensorLike | None = None,
        v: TensorLike | None = None,
        is_diag_update_positive: Hint = None,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:
        """Raises ValueError for a base that is no operator of floats."""
        self._base = base_operator
        self._u = kept(u, base_operator.dtype)
        self._v = self._u if v is None else kept(v, base_operator.dtype)
        self._d = None if diag_update is None else kept(diag_update, base_operator.dtype)
        self._is_diag_update_positive = True if diag_update is None else is_diag_update_positive
        if v is None and base_operator.is_self_adjoint:
            is_self_adjoint = joint("is_self_adjoint", is_self_adjoint, True)
            if base_operator.is_positive_definite and self._is_diag_update_positive:
                is_positive_definite = joint("is_positive_definite", is_positive_definite, True)
        super().__init__(
            base_operator.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            {"base_operator": base_operator, "u": u, "diag_update": diag_update, "v": v},
        )

    @property
    def base_operator(self) -> LinearOperator:
        """L"""
        return self._base

    @property
    def u(self) -> Any:
        """U"""
        return self._u

    @property
    def v(self) -> Any:
        """V"""
        return self._v

    @property
    def diag_update(self) -> Any:
        """The diagonal of D; None where it is 1."""
        return self._d

    @property
    def diag_operator(self) -> LinearOperator:
        """D"""
        if self._d is None:
            return LinearOperatorIdentity(sizes_of(self._u)[-1], dtype=self.dtype)
        return LinearOperatorDiag(self._d)

    @property
    def is_diag_update_positive(self) -> Hint:
        """Whether D is positive, as far as that is known."""
        return self._is_diag_update_positive

    def _shape(self) -> TensorShape:
        base = tuple(self._base.shape)
        batch = batch_of(base, sizes_of(self._u), sizes_of(self._v))
        return TensorShape([*batch, *base[-2:]])

    def _dense(self) -> Any:
        update = matrices.matmul(self.diag_operator.matmul(matrices.adjoint(self._u), adjoint=True), self._v, adjoint_a=True, adjoint_b=True)  # fmt: skip
        return self._base.to_dense() + update

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        first, last = (self._u, self._v) if adjoint else (self._v, self._u)
        inner = self.diag_operator.matmul(matrices.matmul(first, x, adjoint_a=True), adjoint)
        return self._base.matmul(x, adjoint=adjoint) + matrices.matmul(last, inner)

    def _capacitance(self) -> Any:
        """Return D^-1 + V^H L^-1 U, (..., k, k)"""
        inner = matrices.matmul(self._v, self._base.solve(self._u), adjoint_a=True)
        return inner + self.diag_operator.inverse().to_dense()

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        first, last = (self._u, self._v) if adjoint else (self._v, self._u)
        start = self._base.solve(rhs, adjoint=adjoint)
        inner = matrices.matmul(first, start, adjoint_a=True)
        capacitance = self._capacitance()
        sizes = batch_of(capacitance.shape, inner.shape)
        capacitance = ops.broadcast_to(capacitance, (*sizes, *capacitance.shape[-2:]))
        inner = ops.broadcast_to(inner, (*sizes, *inner.shape[-2:]))
        correction = matrices.solve(capacitance, inner, adjoint=adjoint)
        return start - self._base.solve(matrices.matmul(last, correction), adjoint=adjoint)

    def _determinant(self) -> Any:
        return (
            matrices.det(self._capacitance())
            * self.diag_operator.determinant()
            * self._base.determinant()
        )

    def _log_abs_determinant(self) -> Any:
        return (
            matrices.slogdet(self._capacitance())[1]
            + self.diag_operator.log_abs_determinant()
            + self._base.log_abs_determinant()
        )
