"""Operators that keep lengths: permutations, reflections."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, kept, sizes_of
from hornbeam.linalg.operators.checks import require_rank
from hornbeam.tensors import matrices


class LinearOperatorPermutation(LinearOperator):
    """A permutation of the numbers of a vector: (P x)[i] = x[perm[i]]; (..., n) -> (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorPermutation([2, 0, 1]).matvec([5.0, 6.0, 7.0]).numpy()
    array([7., 5., 6.], dtype=float32)
    """

    def __init__(
        self,
        perm: TensorLike,
        dtype: DTypeLike = "float32",
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorPermutation",
    ) -> None:
        """Raises ValueError where the hint says that there is no inverse."""
        self._perm = kept(perm)
        require_rank(self._perm, 1, "perm")
        if is_non_singular is False:
            raise ValueError(f"A Permutation operator is always non-singular. Received: {perm}")
        if is_square is False:
            raise ValueError("A Permutation operator is always square.")
        super().__init__(
            dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"perm": perm, "dtype": dtype},
        )

    @property
    def perm(self) -> Any:
        """The places that the numbers come from."""
        return self._perm

    def _shape(self) -> TensorShape:
        sizes = sizes_of(self._perm)
        return TensorShape([*sizes, sizes[-1]])

    def _dense(self) -> Any:
        places = ops.expand_dims(self._perm, -1)
        here = ops.arange(sizes_of(self._perm)[-1], dtype=self._perm.dtype)
        return ops.cast(ops.equal(places, here), self.dtype)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._matmul(rhs, not adjoint)

    def _log_abs_determinant(self) -> Any:
        return ops.zeros(tuple(self._shape())[:-2], dtype=self.dtype)


class LinearOperatorHouseholder(LinearOperator):
    """The reflection I - 2 v v^H / |v|^2 of an axis v: (..., n) -> (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorHouseholder([1.0, 0.0]).matvec([3.0, 4.0]).numpy()
    array([-3.,  4.], dtype=float32)
    """

    def __init__(
        self,
        reflection_axis: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorHouseholder",
    ) -> None:
        """Raises ValueError for hints that can't be so."""
        self._axis = kept(reflection_axis)
        require_rank(self._axis, 1, "reflection_axis")
        if is_self_adjoint is False:
            raise ValueError("A Householder operator is always self adjoint.")
        if is_positive_definite is True:
            raise ValueError("A Householder operator is always non-positive definite.")
        if is_square is False:
            raise ValueError("A Householder operator is always square.")
        super().__init__(
            self._axis.dtype,
            None,
            is_non_singular,
            True,
            False,
            True,
            name,
            {"reflection_axis": reflection_axis},
        )

    @property
    def reflection_axis(self) -> Any:
        """The axis."""
        return self._axis

    def _shape(self) -> TensorShape:
        sizes = sizes_of(self._axis)
        return TensorShape([*sizes, sizes[-1]])

    def _dense(self) -> Any:
        return self._matmul(ops.eye(sizes_of(self._axis)[-1], dtype=self.dtype))

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        axis = ops.expand_dims(self._axis, -1)
        length = ops.sum(axis * ops.conj(axis), axis=-2, keepdims=True)
        return x - 2 * matrices.matmul(axis, matrices.matmul(axis, x, adjoint_a=True)) / length

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._matmul(rhs)

    def _determinant(self) -> Any:
        return -ops.ones(tuple(self._shape())[:-2], dtype=self.dtype)

    def _log_abs_determinant(self) -> Any:
        return ops.zeros(tuple(self._shape())[:-2], dtype=self.dtype)

    def _trace(self) -> Any:
        return ops.full(tuple(self._shape())[:-2], float(self._shape()[-1] - 2), dtype=self.dtype)
