"""Operators that are products of others: one after the other, and Kronecker products."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, register
from hornbeam.linalg.operators.checks import joint, shared


class OfSeveral(LinearOperator):
    """An operator of several others of one type."""

    _joiner = ""

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        hints: Sequence[Hint],
        name: str | None,
    ) -> None:
        if not operators:
            raise ValueError(f"{type(self).__name__} needs at least one operator; received none.")
        kinds = {each.dtype.name for each in operators}
        if len(kinds) > 1:
            raise TypeError(
                f"Expected all operators to have the same dtype. Received: {[f'{e.name}: {e.dtype.name}' for e in operators]}"
            )
        self._operators = list(operators)
        super().__init__(
            operators[0].dtype,
            None,
            *hints,
            name=name or self._joiner.join(each.name for each in operators),
            parameters={"operators": operators},
        )

    @property
    def operators(self) -> list[LinearOperator]:
        """The operators."""
        return self._operators

    def _all(self, hint: str) -> Hint:
        return True if all(getattr(each, hint) for each in self._operators) else None


class LinearOperatorComposition(OfSeveral):
    """A B ... of operators: (..., m, k), ..., (..., l, n) -> (..., m, n)

    >>> import hornbeam as tf
    >>> a, b = tf.linalg.LinearOperatorDiag([1.0, 2.0]), tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0], [1.0, 0.0]])
    >>> tf.linalg.LinearOperatorComposition([a, b]).matvec([3.0, 4.0]).numpy()
    array([4., 6.], dtype=float32)
    """

    _joiner = "_o_"

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str | None = None,
    ) -> None:
        """Raises ValueError without operators, and TypeError for several types."""
        if operators and all(each.is_non_singular for each in operators):
            is_non_singular = joint("is_non_singular", is_non_singular, True)
        super().__init__(
            operators, (is_non_singular, is_self_adjoint, is_positive_definite, is_square), name
        )

    def _shape(self) -> TensorShape:
        batch = batch_of(*(each.shape for each in self._operators))
        ends = self._operators[0].range_dimension, self._operators[-1].domain_dimension
        return TensorShape([*batch, *ends])

    def _dense(self) -> Any:
        found = self._operators[-1].to_dense()
        for each in reversed(self._operators[:-1]):
            found = each.matmul(found)
        return found

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        for each in self._operators if adjoint else reversed(self._operators):
            x = each.matmul(x, adjoint=adjoint)
        return x

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        for each in reversed(self._operators) if adjoint else self._operators:
            rhs = each.solve(rhs, adjoint=adjoint)
        return rhs

    def _is_of_squares(self) -> bool:
        return all(each.is_square for each in self._operators)

    def _determinant(self) -> Any:
        if not self._is_of_squares():
            return super()._determinant()
        return reduce(lambda a, b: a * b, (each.determinant() for each in self._operators))

    def _log_abs_determinant(self) -> Any:
        if not self._is_of_squares():
            return super()._log_abs_determinant()
        return sum(each.log_abs_determinant() for each in self._operators)


class LinearOperatorKronecker(OfSeveral):
    """The Kronecker product of operators: (..., m1, n1), (..., m2, n2) -> (..., m1 m2, n1 n2)

    >>> import hornbeam as tf
    >>> a, b = tf.linalg.LinearOperatorFullMatrix([[1.0, 2.0]]), tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0]])
    >>> tf.linalg.LinearOperatorKronecker([a, b]).to_dense().numpy()
    array([[0., 1., 0., 2.]], dtype=float32)
    """

    _joiner = "_x_"

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str | None = None,
    ) -> None:
        """Hints that all operators share hold for the product. Raises ValueError without operators."""
        given = (is_non_singular, is_self_adjoint, is_positive_definite)
        super().__init__(operators, (*shared(operators, given), is_square), name)

    def _shape(self) -> TensorShape:
        rows = columns = 1
        for each in self._operators:
            rows, columns = rows * each.range_dimension, columns * each.domain_dimension
        return TensorShape([*batch_of(*(each.shape for each in self._operators)), rows, columns])

    def _dense(self) -> Any:
        return reduce(_kronecker, (each.to_dense() for each in self._operators))

    def _along_axes(self, x: Any, what: str, adjoint: bool) -> Any:
        """Let each operator work on its own axis of the vectors: (..., n1 n2, k) -> (..., m1 m2, k)"""
        backwards = adjoint != (what == "solve")
        sizes = [e.range_dimension if backwards else e.domain_dimension for e in self._operators]
        batch, count = batch_of(self._shape(), x.shape), x.shape[-1]
        x = ops.broadcast_to(x, (*batch, *x.shape[-2:]))
        for place, each in enumerate(self._operators):
            before, after = _product(sizes[:place]), _product(sizes[place + 1 :])
            parts = ops.reshape(x, (*batch, before, sizes[place], after * count))
            parts = ops.moveaxis(parts, -2, -3)
            flat = ops.reshape(parts, (*batch, sizes[place], before * after * count))
            done = getattr(each, what)(flat, adjoint=adjoint)
            sizes[place] = done.shape[-2]
            parts = ops.reshape(done, (*batch, sizes[place], before, after * count))
            x = ops.reshape(ops.moveaxis(parts, -3, -2), (*batch, _product(sizes), count))
        return x

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return self._along_axes(x, "matmul", adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        if not all(each.is_square for each in self._operators):
            return super()._solve(rhs, adjoint)
        return self._along_axes(rhs, "solve", adjoint)

    def _log_abs_determinant(self) -> Any:
        if not all(each.is_square for each in self._operators):
            return super()._log_abs_determinant()
        size = self.range_dimension
        return sum(
            each.log_abs_determinant() * (size // each.range_dimension) for each in self._operators
        )

    def _cholesky(self) -> LinearOperator:
        return type(self)([each.cholesky() for each in self._operators])

    def _inverse(self) -> LinearOperator:
        return type(self)([each.inverse() for each in self._operators])

    def _adjoint(self) -> LinearOperator:
        return type(self)([each.adjoint() for each in self._operators])


def _kronecker(a: Any, b: Any) -> Any:
    product = ops.einsum("...ij,...kl->...ikjl", a, b)
    rows, columns = a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1]
    return ops.reshape(product, (*product.shape[:-4], rows, columns))


def _product(sizes: Sequence[int]) -> int:
    return reduce(lambda a, b: a * b, sizes, 1)


register("composition", LinearOperatorComposition)
