"""Products of vectors, matrices and tensors; diagonals; decompositions and solvers.

Decompositions and solvers work on the last two axes: (..., m, n) is a batch of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import jax_typed as typed
from hornbeam.core import kinks
from hornbeam.core.op import op
from hornbeam.core.operators import elementary
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.kernels import matmul as products
from hornbeam.ops.common import array, inexact, inexact_pair

__all__ = [
    "cdist",
    "cholesky",
    "cholesky_inverse",
    "cross",
    "det",
    "diag",
    "diagflat",
    "diagonal",
    "dot",
    "eig",
    "eigh",
    "einsum",
    "inner",
    "inv",
    "kron",
    "logdet",
    "lstsq",
    "lu_factor",
    "matmul",
    "matrix_rank",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "tensordot",
    "trace",
    "tril",
    "triu",
    "vdot",
]


@op
def dot(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the sum of products over the last axis of x1 and the second to last (or only) axis of x2."""
    return jnp.dot(array(x1), array(x2))


@op
def matmul(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return x1 @ x2 on the last two axes; the axes before them broadcast, and one axis is a vector."""
    x1, x2 = array(x1), array(x2)
    products.require_factors("x1", x1, "x2", x2)
    if x1.dtype == x2.dtype == jnp.int8:  # as in Keras: products of bytes are added up in 32 bits
        x1, x2 = x1.astype("int32"), x2.astype("int32")
    return products.matmul(x1, x2)


elementary["matmul"] = matmul


@op
def vdot(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the sum of conj(x1) * x2 over all elements."""
    return jnp.vdot(array(x1), array(x2))


@op
def inner(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the sum of products over the last axes."""
    return jnp.inner(array(x1), array(x2))


@op
def outer(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return x1[i] * x2[j], of the flattened inputs."""
    return jnp.outer(array(x1), array(x2))


@op
def kron(x1: TensorLike, x2: TensorLike) -> jax.Array:
    """Return the Kronecker product: every element of x1 times the whole of x2."""
    return jnp.kron(array(x1), array(x2))


@op
def cross(
    x1: TensorLike,
    x2: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> jax.Array:
    """Return the cross product of vectors of 2 or 3 elements; of two with 2 elements, its third element alone."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    x1, x2 = array(x1), array(x2)
    a, b = jnp.moveaxis(x1, axisa, -1), jnp.moveaxis(x2, axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not {*sizes} <= {2, 3}:
        raise ValueError(
            f"`cross` takes vectors of 2 or 3 elements; received inputs of shapes {x1.shape} and {x2.shape}."
        )
    a, b = _in_space(a), _in_space(b)  # JAX 0.12 takes no other vectors
    product = jnp.cross(a, b)
    return product[..., 2] if sizes == (2, 2) else jnp.moveaxis(product, -1, axisc)


def _in_space(vectors: jax.Array) -> jax.Array:
    """Return vectors of 2 elements with a third, which is 0."""
    if vectors.shape[-1] == 3:
        return vectors
    return jnp.concatenate([vectors, jnp.zeros_like(vectors[..., :1])], axis=-1)


@op
def tensordot(
    x1: TensorLike, x2: TensorLike, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2
) -> jax.Array:
    """Return the sum of products over given axes; a number n: the last n of x1 with the first n of x2."""
    return jnp.tensordot(array(x1), array(x2), axes=axes)


@op
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> jax.Array:
    """Sum by Einstein's convention: each letter is an axis; letters missing on the right are summed over.

    >>> from hornbeam.keras import ops
    >>> x = ops.reshape(ops.arange(4), (2, 2))
    >>> print(ops.einsum("ij->j", x).numpy())
    [2 4]
    """
    arrays = [array(x) for x in operands]
    try:
        if len(arrays) == 2 and not kwargs:
            return products.einsum(subscripts, arrays[0], arrays[1])
        return typed.einsum(subscripts, *arrays, **kwargs)
    except ValueError as error:
        raise ValueError(
            f"`einsum` can't take {subscripts!r} of operands of shapes "
            f"{', '.join(str(x.shape) for x in arrays)}: {error}"
        ) from error


@op
def diag(x: TensorLike, k: int = 0) -> jax.Array:
    """Return the kth diagonal of a matrix, or the matrix with the vector x on it."""
    return jnp.diag(array(x), k)


@op
def diagflat(x: TensorLike, k: int = 0) -> jax.Array:
    """Return a matrix with the flattened x on its kth diagonal."""
    return jnp.diagflat(array(x), k)


@op
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> jax.Array:
    """Return the diagonal of the matrices that two axes span."""
    return typed.diagonal(array(x), offset, axis1, axis2)


@op
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> jax.Array:
    """Return the sum of the diagonal."""
    return jnp.trace(array(x), offset, axis1, axis2)


@op
def tril(x: TensorLike, k: int = 0) -> jax.Array:
    """Return x on and below the kth diagonal, 0 above."""
    return jnp.tril(array(x), k)


@op
def triu(x: TensorLike, k: int = 0) -> jax.Array:
    """Return x on and above the kth diagonal, 0 below."""
    return jnp.triu(array(x), k)


@op
def norm(
    x: TensorLike,
    ord: int | float | str | None = None,
    axis: Axis = None,
    keepdims: bool = False,
) -> jax.Array:
    """Return the norm of vectors (one axis) or matrices (two); by default sqrt(sum(|x|^2)).

    >>> from hornbeam.keras import ops
    >>> float(ops.norm([3.0, 4.0]))
    5.0
    """
    x, axes = inexact(x), as_axis(axis)
    if ord == 1 and (isinstance(axes, int) or x.ndim == 1):
        return jnp.sum(kinks.absolute(x), axis=axes, keepdims=keepdims)
    return typed.norm(x, ord=ord, axis=axes, keepdims=keepdims)


def _square(x: TensorLike) -> jax.Array:
    x = inexact(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"expected square matrices, (..., n, n). Received x of shape {x.shape}.")
    return x


@op
def det(x: TensorLike) -> jax.Array:
    """Return the determinant."""
    return typed.det(_square(x))


@op
def slogdet(x: TensorLike) -> tuple[jax.Array, ...]:
    """Return the sign of the determinant and the logarithm of its absolute value."""
    return tuple(typed.slogdet(_square(x)))


@op
def logdet(x: TensorLike) -> jax.Array:
    """Return the logarithm of the determinant of a positive definite matrix, by its Cholesky factor."""
    factor = typed.cholesky(_square(x))
    return 2 * jnp.sum(jnp.log(typed.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)


@op
def inv(x: TensorLike) -> jax.Array:
    """Return the inverse."""
    return typed.inv(_square(x))


@op
def pinv(x: TensorLike, rcond: float | None = None) -> jax.Array:
    """Return the Moore-Penrose inverse; singular values below rcond * the largest count as 0."""
    return typed.pinv(inexact(x), rtol=rcond)


@op
def matrix_rank(x: TensorLike, tol: float | None = None) -> jax.Array:
    """Return the number of singular values above `tol` times the largest."""
    return typed.matrix_rank(inexact(x), rtol=tol)


@op
def cholesky(x: TensorLike, upper: bool = False) -> jax.Array:
    """Return the lower triangular L with L L^T = x, or U = L^T; NaN where x is not positive definite."""
    return typed.cholesky(_square(x), upper=upper)


@op
def cholesky_inverse(x: TensorLike, upper: bool = False) -> jax.Array:
    """Return the inverse of the matrix whose Cholesky factor is x."""
    x = _square(x)
    identity = jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return jax.scipy.linalg.cho_solve((x, not upper), identity)


@op
def eig(x: TensorLike) -> tuple[jax.Array, ...]:
    """Return eigenvalues and eigenvectors (columns) of a general matrix: complex. JAX has it on CPU only."""
    return tuple(typed.eig(_square(x)))


@op
def eigh(x: TensorLike) -> tuple[jax.Array, ...]:
    """Return eigenvalues, ascending, and eigenvectors (columns) of a symmetric matrix."""
    return tuple(typed.eigh(_square(x)))


@op
def qr(x: TensorLike, mode: str = "reduced") -> tuple[jax.Array, ...]:
    """Return Q with orthonormal columns and upper triangular R, Q R = x; `mode` "reduced" or "complete"."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"`mode` is 'reduced' or 'complete'; received {mode!r}.")
    return tuple(jnp.linalg.qr(inexact(x), mode=mode))


@op
def svd(
    x: TensorLike, full_matrices: bool = True, compute_uv: bool = True
) -> jax.Array | tuple[jax.Array, ...]:
    """Return U, s, V^T with U diag(s) V^T = x, s descending; or s alone."""
    found = typed.svd(inexact(x), full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(found) if compute_uv else found


@op
def lu_factor(x: TensorLike) -> tuple[jax.Array, ...]:
    """Return L and U of P x = L U in one matrix (the diagonal of L is 1), and the row swaps of P."""
    return tuple(typed.lu_factor(inexact(x)))


@op
def solve(a: TensorLike, b: TensorLike) -> jax.Array:
    """Return x with a x = b; b is one vector or the columns of a matrix."""
    a, b = inexact_pair(a, b)
    if b.ndim == a.ndim - 1:  # vectors, one per matrix
        return typed.solve(a, b[..., None])[..., 0]
    return typed.solve(a, b)


@op
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> jax.Array:
    """Return x with a x = b for triangular a, of which only that triangle is read."""
    a, b = inexact_pair(a, b)
    vectors = b.ndim == a.ndim - 1
    found = jax.scipy.linalg.solve_triangular(a, b[..., None] if vectors else b, lower=lower)
    return found[..., 0] if vectors else found


@op
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> jax.Array:
    """Return x with the least |a x - b|^2."""
    a, b = inexact_pair(a, b)
    return jnp.linalg.lstsq(a, b, rcond=rcond)[0]


@op
def cdist(x: TensorLike, y: TensorLike) -> jax.Array:
    """Return the Euclidean distances of every two rows: (..., m, d), (..., n, d) -> (..., m, n).

    The differences are formed, not |x|^2 + |y|^2 - 2 x y, which loses the digits of small distances.
    """
    x, y = inexact_pair(x, y)
    squares = jnp.sum(jnp.square(x[..., :, None, :] - y[..., None, :, :]), axis=-1)
    # sqrt has no gradient at 0, where x = y: it becomes 0 instead of NaN.
    safe = jnp.where(squares == 0, 1, squares)
    return jnp.where(squares == 0, 0, jnp.sqrt(safe))


@op
def batch_dot(x: TensorLike, y: TensorLike, x_axis: int, y_axis: int) -> jax.Array:
    """Return the sum over n of x[b, ..., n, ...] * y[b, ..., n, ...] -> b, rest of x, rest of y; (b, 1) for vectors"""
    x, y = array(x), array(y)
    common = jnp.result_type(x, y)
    numbers = (((x_axis,), (y_axis,)), ((0,), (0,)))
    z = typed.dot_general(x.astype(common), y.astype(common), numbers)
    return z[:, None] if z.ndim == 1 else z
