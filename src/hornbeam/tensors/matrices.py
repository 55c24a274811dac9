"""Matrices: products, norms, decompositions."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.shapes import as_axis
from hornbeam.core.signatures import of_input
from hornbeam.ops import matrices
from hornbeam.tensors.reductions import in_type_of

cholesky = of_input(ops.cholesky)
det = of_input(ops.det)


def slogdet(input: Any, name: str | None = None) -> Any:
    """The sign of the determinant, and the logarithm of its absolute value."""
    sign, logarithm = ops.slogdet(input)
    return sign, as_complex(input, logarithm)


def as_complex(x: Any, found: Any) -> Any:
    """Return what was found, real numbers, in the type of complex `x`, as TensorFlow does."""
    kind = ops.dtype(x)
    return ops.cast(found, kind) if kind.is_complex else found


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    """The product of matrices, batch by batch. (..., m, k), (..., k, n) -> (..., m, n)

    Raises ValueError for shapes that have no product.

    >>> import hornbeam as tf
    >>> tf.matmul([[1, 2]], [[3, 4]], transpose_b=True).numpy()
    array([[11]], dtype=int32)
    """
    product = matrices.matmul_of_transposed(
        a, b, transpose_a or adjoint_a, transpose_b or adjoint_b, adjoint_a, adjoint_b
    )
    return product if output_type is None else ops.cast(product, output_type)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The product of a matrix and a vector. (..., m, n), (..., n) -> (..., m)"""
    return matrices.matvec(ops.conj(a) if adjoint_a else a, b, transpose_a or adjoint_a)


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """The sum of products over axes of both."""
    return ops.tensordot(a, b, axes)


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation."""
    return ops.einsum(equation, *inputs)


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Any:
    """The norm of all elements, or along axes."""
    axis = as_axis(axis)
    if ord in ("euclidean", "fro") or (ord == 2 and not isinstance(axis, tuple)):
        found = ops.sqrt(ops.sum(ops.square(ops.absolute(tensor)), axis, bool(keepdims)))
        return as_complex(tensor, found)
    if axis is None:
        return ops.norm(ops.ravel(tensor), ord, 0, bool(keepdims))
    return ops.norm(tensor, ord, axis, bool(keepdims))


def trace(x: Any, name: str | None = None) -> Any:
    """The sum of the diagonal. (..., m, n) -> (...)"""
    return in_type_of(x, ops.trace(x, 0, -2, -1))


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The inverse matrix."""
    found = ops.inv(input)
    return matrices.adjoint(found) if adjoint else found


def adjoint(matrix: Any, name: str | None = None) -> Any:
    """The conjugate of the transposed matrix."""
    return matrices.adjoint(matrix)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Any:
    """The last two axes swapped."""
    return matrices.adjoint(a) if conjugate else ops.swapaxes(a, -1, -2)


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """x with matrix x = rhs. (..., n, n), (..., n, k) -> (..., n, k)"""
    return ops.solve(matrices.adjoint(matrix) if adjoint else matrix, rhs)


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """x with matrix x = rhs for a triangular matrix."""
    if adjoint:
        return ops.solve_triangular(matrices.adjoint(matrix), rhs, not lower)
    return ops.solve_triangular(matrix, rhs, lower)


def cross(a: Any, b: Any, name: str | None = None) -> Any:
    """The cross product of vectors of length 3."""
    return ops.cross(a, b)


def eigh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues, in rising order, and eigenvectors of a symmetric matrix."""
    values, vectors = ops.eigh(tensor)
    return as_complex(tensor, values), vectors


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """Singular values s, and u and v with tensor = u diag(s) v^H."""
    if not compute_uv:
        return ops.svd(tensor, full_matrices=full_matrices, compute_uv=False)
    u, s, vh = ops.svd(tensor, full_matrices=full_matrices)
    return s, u, matrices.adjoint(vh)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """q with orthonormal columns and r, upper triangular, with input = q r."""
    return ops.qr(input, mode="complete" if full_matrices else "reduced")


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """The pseudo-inverse matrix."""
    return ops.pinv(a, rcond)


def matrix_rank(
    a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None
) -> Any:
    """The number of singular values above a threshold."""
    if tol is None:
        return ops.matrix_rank(a)
    return ops.count_nonzero(ops.greater(ops.svd(a, compute_uv=False), tol), -1)


def logdet(matrix: Any, name: str | None = None) -> Any:
    """The logarithm of the determinant of a positive definite matrix."""
    found = ops.logdet(matrix)
    return ops.real(found) if ops.dtype(matrix).is_complex else found


def band_part(input: Any, num_lower: int, num_upper: int, name: str | None = None) -> Any:
    """The matrix with zeros outside of a band around the diagonal; a negative number keeps the whole triangle."""
    return matrices.band_part(input, int(num_lower), int(num_upper))
