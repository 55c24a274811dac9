"""`tf.linalg.LinearOperator`: a matrix that is known by what it does, and need not be written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from hornbeam import ops
from hornbeam.control.module import Module
from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.error_types import InvalidArgumentError
from hornbeam.core.jax_typed import broadcast_shapes
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.tensors import factors, matrices

Hint = bool | None
"""True or False where it is known, None where it is not."""


class LinearOperator(Module):
    """A matrix A, or a batch of them, (..., m, n), known by what it does to vectors.

    Own operators derive from this class and define `_shape()`, a `tf.TensorShape`, and `_dense()`, the matrix; whatever
    can be done better than with the written matrix (`_matmul`, `_solve`, `_log_abs_determinant`, ...) may be defined too.
    The hints say what is known of the matrix; they are believed, not checked.

    >>> import hornbeam as tf
    >>> operator = tf.linalg.LinearOperatorDiag([1.0, 2.0])
    >>> operator.matvec([3.0, 4.0]).numpy(), float(operator.log_abs_determinant()).__round__(4)
    (array([3., 8.], dtype=float32), 0.6931)
    """

    def __init__(
        self,
        dtype: DTypeLike,
        graph_parents: Sequence[Any] | None = None,
        is_non_singular: Hint = None,
        is_self_adjoint: Hint = None,
        is_positive_definite: Hint = None,
        is_square: Hint = None,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        """Raises ValueError for hints that contradict each other."""
        super().__init__(name=None if name is None else _identifier(name))
        if (is_non_singular or is_positive_definite) and is_square is False:
            raise ValueError("A non-singular or positive definite operator is always square.")
        if is_positive_definite and is_non_singular is False:
            raise ValueError("A positive definite matrix is always non-singular.")
        self._dtype = as_dtype(dtype)
        self._is_non_singular = True if is_positive_definite else is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._is_square = is_square
        self._parameters = dict(parameters or {})
        self._shown = name or type(self).__name__

    # What subclasses define

    def _shape(self) -> TensorShape:
        raise NotImplementedError(f"{type(self).__name__} must define `_shape(self)`.")

    def _dense(self) -> Any:
        """Return the matrix, (..., m, n); by default from the columns that `_matmul` makes of the unit vectors."""
        return self._matmul(ops.eye(int(self.domain_dimension or 0), dtype=self.dtype))

    def _matmul(self, x: Any, adjoint: bool = False) -> Any:
        return matrices.matmul(self._dense(), x, adjoint_a=adjoint)

    def _solve(self, rhs: Any, adjoint: bool = False) -> Any:
        matrix = self._dense()
        if self._can_use_cholesky():
            return factors.cholesky_solve(*_of_one_batch(matrices.cholesky(matrix), rhs))
        return matrices.solve(*_of_one_batch(matrix, rhs), adjoint=adjoint)

    def _determinant(self) -> Any:
        return matrices.det(self._dense())

    def _log_abs_determinant(self) -> Any:
        return matrices.slogdet(self._dense())[1]

    def _diag_part(self) -> Any:
        return ops.diagonal(self._dense(), axis1=-2, axis2=-1)

    def _trace(self) -> Any:
        return ops.sum(self._diag_part(), axis=-1)

    def _eigvals(self) -> Any:
        return factors.eigvalsh(self._dense())

    def _inverse(self) -> LinearOperator | None:
        """Return an operator of a special kind; None for an inverse that solves."""
        return None

    def _adjoint(self) -> LinearOperator | None:
        """Return an operator of a special kind; None for an adjoint that multiplies by this one."""
        return None

    def _cholesky(self) -> LinearOperator:
        return _kinds["lower"](matrices.cholesky(self._dense()), is_non_singular=True)

    # What is known

    @property
    def name(self) -> str:
        """The name."""
        return self._shown

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The shape, (..., m, n)."""
        return self._shape()

    @property
    def batch_shape(self) -> TensorShape:
        """The shape without the last two axes."""
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int | None:
        """The number of axes."""
        return self.shape.rank

    @property
    def domain_dimension(self) -> Any:
        """The number of columns."""
        return self.shape[-1]

    @property
    def range_dimension(self) -> Any:
        """The number of rows."""
        return self.shape[-2]

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments that the operator was made with."""
        return dict(self._parameters)

    @property
    def graph_parents(self) -> list[Any]:
        """Nothing: there are no graphs."""
        return []

    @property
    def is_square(self) -> bool:
        """Whether there are as many rows as columns. Raises ValueError where a hint says something else."""
        same = self.domain_dimension == self.range_dimension
        if self._is_square is False and same:
            raise ValueError("User set is_square hint to False, but the operator was square.")
        return same if self._is_square is None else self._is_square

    @property
    def is_non_singular(self) -> Hint:
        """Whether there is an inverse, as far as that is known."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> Hint:
        """Whether the matrix is its own adjoint, as far as that is known."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> Hint:
        """Whether x^H A x > 0 for each x but 0, as far as that is known."""
        return self._is_positive_definite

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """Return the shape as a tensor."""
        return convert_to_tensor(list(self.shape), "int32")

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """Return the shape without the last two axes as a tensor."""
        return convert_to_tensor(list(self.batch_shape), "int32")

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """Return the number of axes as a tensor."""
        return convert_to_tensor(len(self.shape), "int32")

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """Return the number of columns as a tensor."""
        return convert_to_tensor(self.domain_dimension, "int32")

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """Return the number of rows as a tensor."""
        return convert_to_tensor(self.range_dimension, "int32")

    # What it does

    def matmul(
        self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul"
    ) -> Any:
        """Return A x, or A^H x: (..., n, k) -> (..., m, k); with `adjoint_arg` x is (..., k, n). Another operator is composed.

        Raises ValueError where the sizes don't fit.
        """
        if isinstance(x, LinearOperator):
            left = self.adjoint() if adjoint else self
            right = x.adjoint() if adjoint_arg else x
            _check_sizes(left.domain_dimension, right.range_dimension, self, right.shape)
            return left._times(right)
        given = self._converted(x)
        given = matrices.adjoint(given) if adjoint_arg else given
        size = self.range_dimension if adjoint else self.domain_dimension
        _check_sizes(size, given.shape[-2], self, given.shape)
        return self._matmul(given, adjoint)

    def _times(self, other: LinearOperator) -> LinearOperator:
        """Return the product with another operator."""
        if isinstance(other, _kinds["identity"]):
            return self
        return _kinds["composition"]([self, other])

    def matvec(self, x: TensorLike, adjoint: bool = False, name: str = "matvec") -> Any:
        """Return A x, or A^H x: (..., n) -> (..., m)"""
        product = self.matmul(ops.expand_dims(self._converted(x), -1), adjoint)
        return ops.squeeze(product, -1)

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def solve(
        self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve"
    ) -> Any:
        """Return x with A x = rhs, or A^H x = rhs: (..., m, k) -> (..., n, k)

        Raises NotImplementedError for a matrix that is known to be singular or not square.
        """
        if self.is_non_singular is False:
            raise NotImplementedError(
                "Exact solve not implemented for an operator that is expected to be singular."
            )
        if not self.is_square:
            raise NotImplementedError(
                "Exact solve not implemented for an operator that is expected to not be square."
            )
        if isinstance(rhs, LinearOperator):
            left = self.adjoint() if adjoint else self
            return left.inverse().matmul(rhs.adjoint() if adjoint_arg else rhs)
        given = self._converted(rhs)
        given = matrices.adjoint(given) if adjoint_arg else given
        _check_sizes(self.range_dimension, given.shape[-2], self, given.shape)
        return self._solve(given, adjoint)

    def solvevec(self, rhs: TensorLike, adjoint: bool = False, name: str = "solve") -> Any:
        """Return x with A x = rhs, or A^H x = rhs: (..., m) -> (..., n)"""
        return ops.squeeze(self.solve(ops.expand_dims(self._converted(rhs), -1), adjoint), -1)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the matrix, (..., m, n)"""
        return self._dense()

    def add_to_tensor(self, x: TensorLike, name: str = "add_to_tensor") -> Any:
        """Return A + x, where x is (..., m, n)"""
        return self._dense() + self._converted(x)

    def determinant(self, name: str = "det") -> Any:
        """Return det(A), (...). Raises NotImplementedError for a matrix that is not square."""
        self._require_square("Determinant")
        return self._determinant()

    def log_abs_determinant(self, name: str = "log_abs_det") -> Any:
        """Return log |det(A)|, (...). Raises NotImplementedError for a matrix that is not square."""
        self._require_square("Determinant")
        return ops.cast(self._log_abs_determinant(), self.dtype)

    def diag_part(self, name: str = "diag_part") -> Any:
        """Return the diagonal, (..., min(m, n))"""
        return self._diag_part()

    def trace(self, name: str = "trace") -> Any:
        """Return the sum of the diagonal, (...)"""
        return self._trace()

    def eigvals(self, name: str = "eigvals") -> Any:
        """Return the eigenvalues, (..., n). Raises NotImplementedError unless the matrix is known to be self-adjoint."""
        if not self.is_self_adjoint:
            raise NotImplementedError("Only self-adjoint matrices are supported.")
        return self._eigvals()

    def cond(self, name: str = "cond") -> Any:
        """Return the largest singular value divided by the smallest, (...)"""
        if self.is_self_adjoint:
            sizes = ops.abs(self.eigvals())
        else:
            sizes = matrices.svd(self._dense(), compute_uv=False)
        return ops.max(sizes, axis=-1) / ops.min(sizes, axis=-1)

    def adjoint(self, name: str = "adjoint") -> Any:
        """Return A^H as an operator; a matrix that is known to be self-adjoint itself."""
        if self.is_self_adjoint:
            return self
        return self._adjoint() or _kinds["adjoint"](self)

    @property
    def H(self) -> Any:
        """A^H as an operator."""
        return self.adjoint()

    def inverse(self, name: str = "inverse") -> Any:
        """Return A^-1 as an operator. Raises ValueError for a matrix that is known to be singular or not square."""
        if not self.is_square:
            raise ValueError(
                "Cannot take the Inverse: This operator represents a non square matrix."
            )
        if self.is_non_singular is False:
            raise ValueError("Cannot take the Inverse: This operator represents a singular matrix.")
        return self._inverse() or _kinds["inversion"](self)

    def cholesky(self, name: str = "cholesky") -> Any:
        """Return L with A = L L^H as an operator.

        Raises ValueError unless the matrix is known to be self-adjoint and positive definite.
        """
        if not self._can_use_cholesky():
            raise ValueError(
                "Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix."
            )
        return self._cholesky()

    # Checks

    def assert_non_singular(self, name: str = "assert_non_singular") -> None:
        """Raise InvalidArgumentError where the matrix is singular, or nearly so."""
        limit = 1 / float(jax.numpy.finfo(self.dtype.name).eps)
        self._require(ops.all(self.cond() < limit), "Singular matrix encountered")

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> None:
        """Raise InvalidArgumentError where the matrix is not its own adjoint."""
        matrix = self._dense()
        same = ops.all(ops.equal(matrix, matrices.adjoint(matrix)))
        self._require(same, "Matrix was not equal to its adjoint.")

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> None:
        """Raise InvalidArgumentError where the self-adjoint matrix has an eigenvalue of 0 or below."""
        positive = ops.all(factors.eigvalsh(self._dense()) > 0)
        self._require(positive, "Operator was not positive definite.")

    def _require(self, holds: Any, text: str) -> None:
        if not bool(holds):
            raise InvalidArgumentError(None, None, f"{text} ({self.name})")

    def _require_square(self, what: str) -> None:
        if not self.is_square:
            raise NotImplementedError(
                f"{what} not implemented for an operator that is expected to not be square."
            )

    def _can_use_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    def _converted(self, x: Any) -> Any:
        """Return an argument as a tensor. Raises TypeError for another type."""
        given = convert_to_tensor(x) if hasattr(x, "dtype") else convert_to_tensor(x, self.dtype)
        if given.dtype != self.dtype:
            raise TypeError(
                f"Input argument does not have same dtype as Operator. Input: {given.dtype.name}, operator: {self.dtype.name}."
            )
        return given

    # An operator stands for its matrix wherever a tensor is expected.

    def read_value(self) -> Any:
        """Return the matrix, as `to_dense`."""
        return convert_to_tensor(self._dense())

    def read_raw(self) -> jax.Array:
        """Return the matrix as a raw JAX array."""
        return self.read_value()._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} shape={self.shape} dtype={self.dtype.name}>"


# Operators that methods of this class make; their files put them here.
_kinds: dict[str, Any] = {}


def register(kind: str, cls: type) -> None:
    """Make a class known, under the name by which methods of the base look it up."""
    _kinds[kind] = cls


def kept(value: Any, dtype: DTypeLike | None = None) -> Any:
    """Return a parameter: a variable as it is, so that it can be trained, anything else as a tensor."""
    return value if isinstance(value, Variable) else convert_to_tensor(value, dtype)


def _identifier(name: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in name) if name else "operator"


def _check_sizes(wanted: Any, found: Any, operator: LinearOperator, shape: Any) -> None:
    if wanted is not None and found is not None and wanted != found:
        raise ValueError(
            f"Dimensions are not compatible. {operator!r} received an argument of shape {tuple(shape)}; {wanted} and "
            f"{found} have to be equal."
        )


def _of_one_batch(matrix: Any, rhs: Any) -> tuple[Any, Any]:
    """Return both with the batch axes that they have together."""
    sizes = batch_of(matrix.shape, rhs.shape)
    return (
        ops.broadcast_to(matrix, (*sizes, *matrix.shape[-2:])),
        ops.broadcast_to(rhs, (*sizes, *rhs.shape[-2:])),
    )


def batch_of(*shapes: Any) -> tuple[int, ...]:
    """Return the batch axes that matrices of these shapes have together."""
    return tuple(broadcast_shapes(*(tuple(shape)[:-2] for shape in shapes)))


def sizes_of(tensor: Any) -> tuple[int, ...]:
    """Return the shape of a parameter."""
    return tuple(tensor.shape)
