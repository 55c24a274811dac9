"""Operators that are made of others: products, inverses, adjoints, blocks, Kronecker products, updates of low rank."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, register, sizes_of
from hornbeam.linalg.operators.plain import LinearOperatorDiag, LinearOperatorIdentity
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
            _joint("is_non_singular", is_non_singular, operator.is_non_singular),
            _joint("is_self_adjoint", is_self_adjoint, operator.is_self_adjoint),
            _joint("is_positive_definite", is_positive_definite, operator.is_positive_definite),
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
            _joint("is_non_singular", is_non_singular, operator.is_non_singular),
            _joint("is_self_adjoint", is_self_adjoint, operator.is_self_adjoint),
            _joint("is_positive_definite", is_positive_definite, operator.is_positive_definite),
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


class _OfSeveral(LinearOperator):
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


class LinearOperatorComposition(_OfSeveral):
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
            is_non_singular = _joint("is_non_singular", is_non_singular, True)
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


class LinearOperatorKronecker(_OfSeveral):
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
        super().__init__(operators, (*_shared(operators, given), is_square), name)

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


class _Blocks(_OfSeveral):
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
        return _split(done, [each.range_dimension for each in self._of_rows()])

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
        super().__init__(operators, (*_shared(operators, given), is_square), name)

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
            for each, part in zip(self._operators, _split(x, sizes), strict=True)
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
            is_non_singular = _joint("is_non_singular", is_non_singular, True)
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
        parts = _split(ops.broadcast_to(rhs, (*batch, *rhs.shape[-2:])), sizes)
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
            is_self_adjoint = _joint("is_self_adjoint", is_self_adjoint, True)
            if base_operator.is_positive_definite and self._is_diag_update_positive:
                is_positive_definite = _joint("is_positive_definite", is_positive_definite, True)
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


def _kronecker(a: Any, b: Any) -> Any:
    product = ops.einsum("...ij,...kl->...ikjl", a, b)
    rows, columns = a.shape[-2] * b.shape[-2], a.shape[-1] * b.shape[-1]
    return ops.reshape(product, (*product.shape[:-4], rows, columns))


def _product(sizes: Sequence[int]) -> int:
    return reduce(lambda a, b: a * b, sizes, 1)


def _split(x: Any, sizes: Sequence[int]) -> list[Any]:
    """Return the rows of x, so many for each size."""
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [x[..., end - size : end, :] for end, size in zip(ends, sizes, strict=True)]


def _joint(name: str, given: Hint, known: Hint) -> Hint:
    """Return what a hint and what is known say together. Raises ValueError where they differ."""
    if given is None or known is None or given == known:
        return given if given is not None else known
    raise ValueError(f"The hint {name}={given} contradicts what the operators say: {known}.")


def _shared(operators: Sequence[LinearOperator], given: Sequence[Hint]) -> list[Hint]:
    names = ("is_non_singular", "is_self_adjoint", "is_positive_definite")
    return [
        _joint(name, hint, True)
        if operators and all(getattr(each, name) for each in operators)
        else hint
        for name, hint in zip(names, given, strict=True)
    ]


register("adjoint", LinearOperatorAdjoint)
register("inversion", LinearOperatorInversion)
register("composition", LinearOperatorComposition)
