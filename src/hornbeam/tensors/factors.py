"""Factors and functions of matrices, and solvers that use them, under TensorFlow's names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hornbeam import ops
from hornbeam.core.signatures import of_input
from hornbeam.core.tensor import convert_to_tensor, unwrap
from hornbeam.core.typing import Axis, DTypeLike, TensorLike
from hornbeam.ops import factors
from hornbeam.tensors.matrices import as_complex, norm

expm = of_input(factors.expm)
logm = of_input(factors.logm)
sqrtm = of_input(factors.sqrtm)
matrix_square_root = of_input(factors.sqrtm, "matrix_square_root")


def eig(tensor: TensorLike, name: str | None = None) -> Any:
    """Return the eigenvalues and eigenvectors (columns) of general matrices, both complex, in no given order.

    >>> import hornbeam as tf
    >>> values, vectors = tf.linalg.eig([[2.0, 0.0], [0.0, 3.0]])
    >>> values.dtype
    tf.complex64
    """
    return ops.eig(tensor)


def eigvals(tensor: TensorLike, name: str | None = None) -> Any:
    """Return the eigenvalues of general matrices, complex, in no given order. (..., n, n) -> (..., n)"""
    return factors.eigvals(tensor)


def eigvalsh(tensor: TensorLike, name: str | None = None) -> Any:
    """Return the eigenvalues of symmetric matrices, in rising order. (..., n, n) -> (..., n)

    >>> import hornbeam as tf
    >>> tf.linalg.eigvalsh([[2.0, 1.0], [1.0, 2.0]]).numpy()
    array([1., 3.], dtype=float32)
    """
    return as_complex(tensor, factors.eigvalsh(tensor))


def eigh_tridiagonal(
    alpha: TensorLike,
    beta: TensorLike,
    eigvals_only: bool = True,
    select: str = "a",
    select_range: Any = None,
    tol: float | None = None,
    name: str | None = None,
) -> Any:
    """Return the eigenvalues, rising, of the symmetric matrix with `alpha` on its diagonal and `beta` above it; and its vectors.

    (n,), (n - 1,) -> (n,), or with `eigvals_only=False` also (n, n). `select` "i" keeps those numbered from select_range[0] to
    select_range[1], "v" those whose value is in that interval.

    >>> import hornbeam as tf
    >>> tf.linalg.eigh_tridiagonal([2.0, 2.0], [1.0]).numpy()
    array([1., 3.], dtype=float32)
    """
    above = ops.diag(beta, 1)
    matrix = ops.add(ops.diag(alpha), ops.add(above, ops.conj(ops.transpose(above))))
    if eigvals_only:
        values, vectors = factors.eigvalsh(matrix), None
    else:
        values, vectors = ops.eigh(matrix)
    if select != "a":
        chosen = _chosen(values, select, select_range)
        values = values[chosen]
        vectors = None if vectors is None else vectors[:, chosen]
    return values if vectors is None else (values, vectors)


def _chosen(values: Any, select: str, limits: Any) -> slice:
    first, last = (each.item() for each in np.asarray(unwrap(limits)))
    if select == "i":
        return slice(int(first), int(last) + 1)
    if select == "v":
        known = np.asarray(values)
        return slice(*(int(n) for n in np.searchsorted(known, [first, last], "right")))
    raise ValueError(f"`select` is 'a', 'i' or 'v'; received {select!r}.")


def cholesky_solve(chol: TensorLike, rhs: TensorLike, name: str | None = None) -> Any:
    """Return x with A x = rhs, given the lower triangular factor of A = L L^H. (..., n, n), (..., n, k) -> (..., n, k)

    >>> import hornbeam as tf
    >>> tf.linalg.cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [[8.0], [3.0]]).numpy()
    array([[2.],
           [3.]], dtype=float32)
    """
    return factors.cholesky_solve(chol, rhs)


class Lu(NamedTuple):
    """What `lu` returns."""

    lu: Any
    p: Any


def lu(input: TensorLike, output_idx_type: DTypeLike = "int32", name: str | None = None) -> Lu:
    """Return L and U of A[p] = L U in one matrix (the diagonal of L is 1), and the order of rows p.

    >>> import hornbeam as tf
    >>> factors, order = tf.linalg.lu([[0.0, 1.0], [2.0, 4.0]])
    >>> print(order.numpy())
    [1 0]
    """
    found, order = factors.lu(input)
    return Lu(found, ops.cast(order, output_idx_type))


def lu_reconstruct(
    lower_upper: TensorLike, perm: TensorLike, validate_args: bool = False, name: str | None = None
) -> Any:
    """Return the matrix whose factors `lu` returned."""
    return factors.lu_reconstruct(lower_upper, perm)


def lu_solve(
    lower_upper: TensorLike,
    perm: TensorLike,
    rhs: TensorLike,
    validate_args: bool = False,
    name: str | None = None,
) -> Any:
    """Return x with A x = rhs for the matrix whose factors `lu` returned. (..., n, n), (..., n), (..., n, k) -> (..., n, k)"""
    return factors.lu_solve(lower_upper, perm, rhs)


def lu_matrix_inverse(
    lower_upper: TensorLike, perm: TensorLike, validate_args: bool = False, name: str | None = None
) -> Any:
    """Return the inverse of the matrix whose factors `lu` returned."""
    found = convert_to_tensor(lower_upper)
    identity = ops.broadcast_to(ops.eye(found.shape[-1], dtype=found.dtype), tuple(found.shape))
    return factors.lu_solve(found, perm, identity)


def lstsq(
    matrix: TensorLike,
    rhs: TensorLike,
    l2_regularizer: float = 0.0,
    fast: bool = True,
    name: str | None = None,
) -> Any:
    """Return x with the least |matrix x - rhs|^2 + l2_regularizer |x|^2. (..., m, n), (..., m, k) -> (..., n, k)

    `fast` solves the normal equations; else singular values are used, and `l2_regularizer` is not.

    >>> import hornbeam as tf
    >>> tf.linalg.lstsq([[1.0], [2.0]], [[2.0], [4.0]]).numpy()
    array([[2.]], dtype=float32)
    """
    return factors.least_squares(matrix, rhs, l2_regularizer, fast)


def normalize(
    tensor: TensorLike, ord: Any = "euclidean", axis: Axis = None, name: str | None = None
) -> tuple[Any, Any]:
    """Return the tensor divided by its norm, and the norm; along axes, of all elements by default.

    >>> import hornbeam as tf
    >>> tf.linalg.normalize([3.0, 4.0])[0].numpy()
    array([0.6, 0.8], dtype=float32)
    """
    length = norm(tensor, ord, axis, keepdims=True)
    return ops.divide(tensor, length), length
