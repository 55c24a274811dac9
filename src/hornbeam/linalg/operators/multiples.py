"""Operators that are made of sizes: identities, their multiples, zeros."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, register, sizes_of
from hornbeam.linalg.operators.checks import require_hints


class _OfNumbers(LinearOperator):
    """An operator that is made of sizes instead of tensors."""

    def add_to_tensor(self, mat: TensorLike, name: str = "add_to_tensor") -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - as in TensorFlow
        """Return A + mat, where mat is (..., m, n)"""
        return super().add_to_tensor(mat)


class LinearOperatorIdentity(_OfNumbers):
    """The identity I: (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorIdentity(2).matvec([3.0, 4.0]).numpy()
    array([3., 4.], dtype=float32)
    """

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: DTypeLike | None = None,
        is_non_singular: Hint = True,
        is_self_adjoint: Hint = True,
        is_positive_definite: Hint = True,
        is_square: Hint = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:
        """Raises ValueError for hints that are not True."""
        require_hints(
            "An identity operator",
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
        )
        super().__init__(dtype or "float32", None, True, True, True, True, name)
        self._rows = _size(num_rows, "num_rows")
        self._batch = tuple(int(size) for size in (() if batch_shape is None else batch_shape))

    def _shape(self) -> TensorShape:
        return TensorShape([*self._batch, self._rows, self._rows])

    def _dense(self) -> Any:
        eye = ops.eye(self._rows, dtype=self.dtype)
        return ops.broadcast_to(eye, tuple(self._shape()))

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return ops.broadcast_to(x, (*batch_of(self._shape(), x.shape), *x.shape[-2:]))

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return self._matmul(rhs)

    def _times(self, other: LinearOperator) -> LinearOperator:
        return other

    def _determinant(self) -> Any:
        return ops.ones(self._batch, dtype=self.dtype)

    def _log_abs_determinant(self) -> Any:
        return ops.zeros(self._batch, dtype=self.dtype)

    def _diag_part(self) -> Any:
        return ops.ones((*self._batch, self._rows), dtype=self.dtype)

    _eigvals = _diag_part

    def _inverse(self) -> LinearOperator:
        return self

    _cholesky = _inverse


class LinearOperatorScaledIdentity(_OfNumbers):
    """c I, for each c of `multiplier`: (...) -> (..., n, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorScaledIdentity(2, 3.0).to_dense().numpy()
    array([[3., 0.],
           [0., 3.]], dtype=float32)
    """

    def __init__(
        self,
        num_rows: Any,
        multiplier: TensorLike,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:
        """A real `multiplier` makes it self-adjoint."""
        self._rows = _size(num_rows, "num_rows")
        self._multiplier = kept(multiplier)
        if not self._multiplier.dtype.is_complex:
            is_self_adjoint = True
        if is_square is False:
            raise ValueError("A ScaledIdentity operator is always square.")
        super().__init__(
            self._multiplier.dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            True,
            name,
            {"num_rows": num_rows, "multiplier": multiplier},
        )

    @property
    def multiplier(self) -> Any:
        """The numbers on the diagonal."""
        return self._multiplier

    def _shape(self) -> TensorShape:
        return TensorShape([*sizes_of(self._multiplier), self._rows, self._rows])

    def _scale(self, adjoint: bool = False) -> Any:
        scale = ops.expand_dims(ops.expand_dims(self._multiplier, -1), -1)
        return ops.conj(scale) if adjoint else scale

    def _dense(self) -> Any:
        return self._scale() * ops.eye(self._rows, dtype=self.dtype)

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return x * self._scale(adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        return rhs / self._scale(adjoint)

    def _determinant(self) -> Any:
        return ops.power(self._multiplier, self._rows)

    def _log_abs_determinant(self) -> Any:
        return self._rows * ops.log(ops.abs(self._multiplier))

    def _diag_part(self) -> Any:
        one = ops.ones((self._rows,), dtype=self.dtype)
        return ops.expand_dims(self._multiplier, -1) * one

    _eigvals = _diag_part

    def _trace(self) -> Any:
        return self._multiplier * self._rows

    def _adjoint(self) -> LinearOperator:
        return type(self)(self._rows, ops.conj(self._multiplier), self.is_non_singular)

    def _inverse(self) -> LinearOperator:
        return type(self)(
            self._rows,
            1.0 / self._multiplier,
            self.is_non_singular,
            self.is_self_adjoint,
            self.is_positive_definite,
        )

    def _cholesky(self) -> LinearOperator:
        return type(self)(self._rows, ops.sqrt(self._multiplier), True, True, True)


class LinearOperatorZeros(_OfNumbers):
    """Zeros: (..., m, n)

    >>> import hornbeam as tf
    >>> tf.linalg.LinearOperatorZeros(2, 3, is_square=False, is_self_adjoint=False).matvec([1.0, 2.0, 3.0]).numpy()
    array([0., 0.], dtype=float32)
    """

    def __init__(
        self,
        num_rows: Any,
        num_columns: Any = None,
        batch_shape: Any = None,
        dtype: DTypeLike | None = None,
        is_non_singular: Hint = False,
        is_self_adjoint: Hint = True,
        is_positive_definite: Hint = False,
        is_square: Hint = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:
        """Raises ValueError for hints that can't be so."""
        if is_non_singular or is_positive_definite:
            raise ValueError("A zeros operator is always singular, and never positive definite.")
        super().__init__(dtype or "float32", None, False, is_self_adjoint, False, is_square, name)
        self._rows = _size(num_rows, "num_rows")
        self._columns = self._rows if num_columns is None else _size(num_columns, "num_columns")
        if is_square and self._rows != self._columns:
            raise ValueError(
                f"LinearOperatorZeros initialized as is_square=True, but got num_rows({self._rows}) != "
                f"num_columns({self._columns})"
            )
        self._batch = tuple(int(size) for size in (() if batch_shape is None else batch_shape))

    def _shape(self) -> TensorShape:
        return TensorShape([*self._batch, self._rows, self._columns])

    def _dense(self) -> Any:
        return ops.zeros(tuple(self._shape()), dtype=self.dtype)

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        rows = self._columns if adjoint else self._rows
        return ops.zeros((*batch_of(self._shape(), x.shape), rows, x.shape[-1]), dtype=self.dtype)

    def _determinant(self) -> Any:
        return ops.zeros(self._batch, dtype=self.dtype)


def _size(value: Any, name: str) -> int:
    """Return a number of rows or columns. Raises ValueError for a negative one."""
    size = int(value)
    if size < 0:
        raise ValueError(f"`{name}` must be non-negative. Found: {size}.")
    return size


register("identity", LinearOperatorIdentity)
