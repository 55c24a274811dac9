"""Matrices: products, norms, decompositions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.op import op
from hornbeam.core.signatures import of_input, of_x
from hornbeam.kernels import matmul as products

cholesky = of_input(ops.cholesky)
det = of_input(ops.det)
slogdet = of_input(ops.slogdet)


@op(name="tf.matmul")
def _matmul(
    a: Any, b: Any, transpose_a: bool, transpose_b: bool, conjugate_a: bool, conjugate_b: bool
) -> Any:
    a, b = jnp.asarray(a), jnp.asarray(b)
    a, b = jnp.conj(a) if conjugate_a else a, jnp.conj(b) if conjugate_b else b
    products.require_factors("a", a, "b", b, transpose_a, transpose_b)
    return products.matmul(a, b, transpose_a, transpose_b)


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
    product = _matmul(
        a, b, transpose_a or adjoint_a, transpose_b or adjoint_b, adjoint_a, adjoint_b
    )
    return product if output_type is None else ops.cast(product, output_type)


@op(name="tf.linalg.matvec")
def _matvec(a: Any, b: Any, transpose: bool) -> Any:
    a = jnp.asarray(a)
    return jnp.einsum("...ji,...j->...i" if transpose else "...ij,...j->...i", a, jnp.asarray(b))


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
    return _matvec(ops.conj(a) if adjoint_a else a, b, transpose_a or adjoint_a)


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """The sum of products over axes of both."""
    return ops.tensordot(a, b, axes)


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Any:
    """Sums of products in Einstein's notation."""
    return ops.einsum(equation, *inputs)


@op(name="tf.norm")
def _norm(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    x = jnp.asarray(x)
    axis = tuple(axis) if isinstance(axis, list) else axis
    if ord in ("euclidean", "fro") or (ord == 2 and not isinstance(axis, tuple)):
        return jnp.sqrt(jnp.sum(jnp.square(jnp.abs(x)), axis=axis, keepdims=keepdims))
    if axis is None:
        x, axis = x.reshape(-1), 0
    return jnp.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Any:
    """The norm of all elements, or along axes."""
    return _norm(tensor, ord, axis, bool(keepdims))


@of_x
@op(name="tf.linalg.trace")
def trace(x: Any) -> Any:
    """The sum of the diagonal. (..., m, n) -> (...)"""
    return jnp.trace(jnp.asarray(x), axis1=-2, axis2=-1)


@op(name="tf.linalg.inv")
def _inv(x: Any) -> Any:
    return jnp.linalg.inv(jnp.asarray(x))


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The inverse matrix."""
    found = _inv(input)
    return _adjoint(found) if adjoint else found


@op(name="tf.linalg.adjoint")
def _adjoint(matrix: Any) -> Any:
    return jnp.conj(jnp.swapaxes(jnp.asarray(matrix), -1, -2))


def adjoint(matrix: Any, name: str | None = None) -> Any:
    """The conjugate of the transposed matrix."""
    return _adjoint(matrix)


@op(name="tf.linalg.matrix_transpose")
def _transpose(a: Any) -> Any:
    return jnp.swapaxes(jnp.asarray(a), -1, -2)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Any:
    """The last two axes swapped."""
    return _adjoint(a) if conjugate else _transpose(a)


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """x with matrix x = rhs. (..., n, n), (..., n, k) -> (..., n, k)"""
    return ops.solve(_adjoint(matrix) if adjoint else matrix, rhs)


@op(name="tf.linalg.triangular_solve")
def _triangular(matrix: Any, rhs: Any, lower: bool, adjoint: bool) -> Any:
    trans = "C" if adjoint else "N"
    return jax.scipy.linalg.solve_triangular(
        jnp.asarray(matrix), jnp.asarray(rhs), trans=trans, lower=lower
    )


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """x with matrix x = rhs for a triangular matrix."""
    return _triangular(matrix, rhs, lower, adjoint)


def cross(a: Any, b: Any, name: str | None = None) -> Any:
    """The cross product of vectors of length 3."""
    return ops.cross(a, b)


def eigh(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues, in rising order, and eigenvectors of a symmetric matrix."""
    return ops.eigh(tensor)


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """Singular values s, and u and v with tensor = u diag(s) v^H."""
    if not compute_uv:
        return ops.svd(tensor, full_matrices=full_matrices, compute_uv=False)
    u, s, vh = ops.svd(tensor, full_matrices=full_matrices)
    return s, u, _adjoint(vh)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """q with orthonormal columns and r, upper triangular, with input = q r."""
    return ops.qr(input, mode="complete" if full_matrices else "reduced")


@op(name="tf.linalg.pinv")
def _pinv(a: Any, rcond: Any) -> Any:
    return jnp.linalg.pinv(jnp.asarray(a), rtol=rcond)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """The pseudo-inverse matrix."""
    return _pinv(a, rcond)


@op(name="tf.linalg.matrix_rank")
def _rank(a: Any, tol: Any) -> Any:
    a = jnp.asarray(a)
    s = jnp.linalg.svd(a, compute_uv=False)
    if tol is None:
        tol = jnp.max(s, -1, keepdims=True) * max(a.shape[-2:]) * jnp.finfo(a.dtype).eps
    return jnp.sum(s > tol, -1).astype("int32")


def matrix_rank(
    a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None
) -> Any:
    """The number of singular values above a threshold."""
    return _rank(a, tol)


@op(name="tf.linalg.logdet")
def _logdet(matrix: Any) -> Any:
    return jnp.linalg.slogdet(jnp.asarray(matrix))[1]


def logdet(matrix: Any, name: str | None = None) -> Any:
    """The logarithm of the determinant of a positive definite matrix."""
    return _logdet(matrix)


@op(name="tf.linalg.diag")
def _diag(diagonal: Any, k: int) -> Any:
    diagonal = jnp.asarray(diagonal)
    size = diagonal.shape[-1] + abs(k)
    rows = jnp.arange(diagonal.shape[-1]) + max(-k, 0)
    return (
        jnp.zeros((*diagonal.shape[:-1], size, size), diagonal.dtype)
        .at[..., rows, rows + k]
        .set(diagonal)
    )


def diag(
    diagonal: Any,
    name: str = "diag",
    k: int = 0,
    num_rows: int = -1,
    num_cols: int = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """A square matrix with a given diagonal. (..., n) -> (..., n, n)"""
    if (num_rows, num_cols, padding_value) != (-1, -1, 0):
        raise NotImplementedError("diag makes square matrices padded with zeros only.")
    return _diag(diagonal, k)


@op(name="tf.linalg.diag_part")
def _diag_part(x: Any, k: int) -> Any:
    return jnp.diagonal(jnp.asarray(x), offset=k, axis1=-2, axis2=-1)


def diag_part(
    input: Any,
    name: str = "diag_part",
    k: int = 0,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """The diagonal. (..., m, n) -> (..., min(m, n))"""
    return _diag_part(input, k)


@op(name="tf.linalg.band_part")
def _band(x: Any, lower: int, upper: int) -> Any:
    x = jnp.asarray(x)
    rows, columns = jnp.arange(x.shape[-2])[:, None], jnp.arange(x.shape[-1])[None, :]
    kept = jnp.ones((x.shape[-2], x.shape[-1]), bool)
    kept = kept & (rows - columns <= lower) if lower >= 0 else kept
    kept = kept & (columns - rows <= upper) if upper >= 0 else kept
    return jnp.where(kept, x, 0)


def band_part(input: Any, num_lower: int, num_upper: int, name: str | None = None) -> Any:
    """The matrix with zeros outside of a band around the diagonal; a negative number keeps the whole triangle."""
    return _band(input, int(num_lower), int(num_upper))
