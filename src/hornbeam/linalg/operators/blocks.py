"""Operators of matrices that have others as blocks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of
from hornbeam.linalg.operators.checks import joint, shared
from hornbeam.linalg.operators.products import OfSeveral


class _Blocks(OfSeveral):
    """Operators whose vectors are the vectors of several blocks, one below the other."""

    def matmul(
        self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul"
    ) -> Any:
        """Return A x; x may be a list with the rows of each block, and so is the result then."""
        return self._by_blocks(super().matmul, x, adjoint, adjoint_arg)

    def solve(
        self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve"
    ) -> Any:
        """Return x with A x = rhs; rhs may be a list with the rows of each block, and so is the result then."""
        return self._by_blocks(super().solve, rhs, adjoint, adjoint_arg)

    def _by_blocks(self, do: Any, x: Any, adjoint: bool, adjoint_arg: bool) -> Any:
        if not (isinstance(x, (list, tuple)) and len(x) and hasattr(x[0], "shape")):
            return do(x, adjoint, adjoint_arg)
        axis = -1 if adjoint_arg else -2
        batch = batch_of(*(each.shape for each in x))
        rows = [ops.broadcast_to(each, (*batch, *each.shape[-2:])) for each in x]
        done = do(ops.concatenate(rows, axis=axis), adjoint, adjoint_arg)
        return split_rows(done, [each.range_dimension for each in self._of_rows()])

    def _of_rows(self) -> list[LinearOperator]:
        return self._operators


class LinearOperatorBlockDiag(_Blocks):
    """Operators on the diagonal, zeros elsewhere: (..., m1, n1), (..., m2, n2) -> (..., m1 + m2, n1 + n2)

    >>> import hornbeam as tf
    >>> a, b = tf.linalg.LinearOperatorDiag([2.0]), tf.linalg.LinearOperatorFullMatrix([[1.0, 3.0], [0.0, 1.0]])
    >>> tf.linalg.LinearOperatorBlockDiag([a, b]).matvec([1.0, 1.0, 1.0]).numpy()
    array([2., 4., 1.], dtype=float32)
    """

    _joiner = "_ds_"

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = True,
        name: str | None = None,
    ) -> None:
        """Hints that all operators share hold for the whole. Raises ValueError without operators."""
        given = (is_non_singular, is_self_adjoint, is_positive_definite)
        super().__init__(operators, (*shared(operators, given), is_square), name)

    def _shape(self) -> TensorShape:
        batch = batch_of(*(each.shape for each in self._operators))
        rows = sum(each.range_dimension for each in self._operators)
        columns = sum(each.domain_dimension for each in self._operators)
        return TensorShape([*batch, rows, columns])

    def _dense(self) -> Any:
        batch = tuple(self._shape())[:-2]
        widths = [each.domain_dimension for each in self._operators]
        rows: list[Any] = []
        for place, each in enumerate(self._operators):
            before, after = sum(widths[:place]), sum(widths[place + 1 :])
            block = each.to_dense()
            block = ops.broadcast_to(block, (*batch, *block.shape[-2:]))
            rows.append(ops.pad(block, [(0, 0)] * (len(batch) + 1) + [(before, after)]))
        return ops.concatenate(rows, axis=-2)

    def _in_parts(self, x: Any, what: str, adjoint: bool) -> Any:
        backwards = adjoint != (what == "solve")
        sizes = [e.range_dimension if backwards else e.domain_dimension for e in self._operators]
        batch = batch_of(self._shape(), x.shape)
        done = [
            getattr(each, what)(ops.broadcast_to(part, (*batch, *part.shape[-2:])), adjoint=adjoint)
            for each, part in zip(self._operators, split_rows(x, sizes), strict=True)
        ]
        return ops.concatenate(done, axis=-2)

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return self._in_parts(x, "matmul", adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        if not all(each.is_square for each in self._operators):
            return super()._solve(rhs, adjoint)
        return self._in_parts(rhs, "solve", adjoint)

    def _log_abs_determinant(self) -> Any:
        if not all(each.is_square for each in self._operators):
            return super()._log_abs_determinant()
        return sum(each.log_abs_determinant() for each in self._operators)

    def _cholesky(self) -> LinearOperator:
        return type(self)([each.cholesky() for each in self._operators])

    def _inverse(self) -> LinearOperator:
        return type(self)([each.inverse() for each in self._operators])

    def _adjoint(self) -> LinearOperator:
        return type(self)([each.adjoint() for each in self._operators], is_square=self._is_square)


class LinearOperatorBlockLowerTriangular(_Blocks):
    """Rows of operators, row i with i + 1 of them, zeros beyond the diagonal: (..., n, n)

    >>> import hornbeam as tf
    >>> one, two = tf.linalg.LinearOperatorDiag([1.0]), tf.linalg.LinearOperatorDiag([2.0])
    >>> tf.linalg.LinearOperatorBlockLowerTriangular([[one], [two, one]]).to_dense().numpy()
    array([[1., 0.],
           [2., 1.]], dtype=float32)
    """

    def __init__(
        self,
        operators: Sequence[Sequence[LinearOperator]],
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:
        """Raises ValueError for rows of another length and for blocks on the diagonal that are not square."""
        rows = [list(row) for row in operators]
        wrong = [len(row) for i, row in enumerate(rows) if len(row) != i + 1]
        if not rows or wrong:
            raise ValueError(
                f"Expected row i of `operators` to have i + 1 of them; received rows of {[len(row) for row in rows]}."
            )
        if not all(row[-1].is_square for row in rows):
            raise ValueError("The operators on the diagonal must be square.")
        self._rows = rows
        if all(row[-1].is_non_singular for row in rows):
            is_non_singular = joint("is_non_singular", is_non_singular, True)
        flat = [each for row in rows for each in row]
        hints = (is_non_singular, is_self_adjoint, is_positive_definite, True)
        super().__init__(flat, hints, name)

    @property
    def operators(self) -> Any:
        """The rows of operators."""
        return self._rows

    def _of_rows(self) -> list[LinearOperator]:
        return [row[-1] for row in self._rows]

    def _sizes(self) -> list[int]:
        return [each.range_dimension for each in self._of_rows()]

    def _shape(self) -> TensorShape:
        batch = batch_of(*(each.shape for each in self._operators))
        return TensorShape([*batch, sum(self._sizes()), sum(self._sizes())])

    def _dense(self) -> Any:
        batch, sizes = tuple(self._shape())[:-2], self._sizes()
        found: list[Any] = []
        for place, row in enumerate(self._rows):
            blocks = [each.to_dense() for each in row]
            blocks = [ops.broadcast_to(each, (*batch, *each.shape[-2:])) for each in blocks]
            whole = ops.concatenate(blocks, axis=-1)
            padding = [(0, 0)] * (len(batch) + 1) + [(0, sum(sizes[place + 1 :]))]
            found.append(ops.pad(whole, padding))
        return ops.concatenate(found, axis=-2)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        """Solve block by block: from the first row on, or for the adjoint from the last one back."""
        batch, sizes = batch_of(self._shape(), rhs.shape), self._sizes()
        parts = split_rows(ops.broadcast_to(rhs, (*batch, *rhs.shape[-2:])), sizes)
        found: list[Any] = [None] * len(parts)
        order = range(len(parts))
        for place in reversed(order) if adjoint else order:
            left = parts[place]
            others = range(place + 1, len(parts)) if adjoint else range(place)
            for other in others:
                block = self._rows[other][place] if adjoint else self._rows[place][other]
                left = left - block.matmul(found[other], adjoint=adjoint)
            found[place] = self._rows[place][-1].solve(left, adjoint=adjoint)
        return ops.concatenate(found, axis=-2)

    def _diag_part(self) -> Any:
        batch = tuple(self._shape())[:-2]
        parts = [each.diag_part() for each in self._of_rows()]
        return ops.concatenate(
            [ops.broadcast_to(part, (*batch, part.shape[-1])) for part in parts], axis=-1
        )

    def _determinant(self) -> Any:
        return reduce(lambda a, b: a * b, (each.determinant() for each in self._of_rows()))

    def _log_abs_determinant(self) -> Any:
        return sum(each.log_abs_determinant() for each in self._of_rows())


def split_rows(x: Any, sizes: Sequence[int]) -> list[Any]:
    """Return the rows of x, so many for each size."""
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [x[..., end - size : end, :] for end, size in zip(ends, sizes, strict=True)]
