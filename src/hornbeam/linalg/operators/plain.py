"""Operators of matrices with few numbers: diagonal, triangular, of bands, permutations, reflections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.linalg.operators.base import Hint, LinearOperator, batch_of, kept, register, sizes_of
from hornbeam.tensors import diagonals as bands
from hornbeam.tensors import matrices


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
        _require_hints(
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
        _require_rank(self._diag, 1, "diag")
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
        _require_rank(self._matrix, 2, "matrix")
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
        _require_rank(self._tril, 2, "tril")
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
        _require_rank(self._col, 1, "col")
        _require_rank(self._row, 1, "row")
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
        _require_rank(self._perm, 1, "perm")
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
        _require_rank(self._axis, 1, "reflection_axis")
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


def _size(value: Any, name: str) -> int:
    """Return a number of rows or columns. Raises ValueError for a negative one."""
    size = int(value)
    if size < 0:
        raise ValueError(f"`{name}` must be non-negative. Found: {size}.")
    return size


def _require_rank(tensor: Any, rank: int, name: str) -> None:
    if len(sizes_of(tensor)) < rank:
        raise ValueError(
            f"Argument `{name}` must have at least {rank} dimension{'s' if rank > 1 else ''}. Found: {tensor}"
        )


def _require_hints(what: str, *hints: Hint) -> None:
    words = ("non-singular", "self-adjoint", "positive-definite", "square")
    wrong: Sequence[str] = [word for word, hint in zip(words, hints, strict=True) if hint is False]
    if wrong:
        raise ValueError(f"{what} is always {wrong[0]}.")


register("identity", LinearOperatorIdentity)
register("lower", LinearOperatorLowerTriangular)
