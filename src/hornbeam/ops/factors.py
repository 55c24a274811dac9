"""Factors and functions of matrices that `tf.linalg` has beyond `keras.ops`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core import jax_typed as typed
from hornbeam.core.op import op
from hornbeam.core.typing import NumpyArray, TensorLike
from hornbeam.ops.common import array, inexact, inexact_pair


@op(name="tf.linalg.eigvals")
def eigvals(x: TensorLike) -> jax.Array:
    """Return the eigenvalues of a general matrix: complex. JAX has it on CPU only."""
    return typed.eig(inexact(x))[0]


@op(name="tf.linalg.eigvalsh")
def eigvalsh(x: TensorLike) -> jax.Array:
    """Return the eigenvalues, ascending, of a symmetric matrix."""
    return typed.eigvalsh(inexact(x))


@op(name="tf.linalg.cholesky_solve")
def cholesky_solve(factor: TensorLike, rhs: TensorLike) -> jax.Array:
    """Return x with L L^H x = rhs for a lower triangular L. (..., n, n), (..., n, k) -> (..., n, k)"""
    factor, rhs = inexact_pair(factor, rhs)
    return jax.scipy.linalg.cho_solve((factor, True), rhs)


@op(name="tf.linalg.lu")
def lu(x: TensorLike) -> tuple[jax.Array, jax.Array]:
    """Return L and U in one matrix (the diagonal of L is 1), and the order p of rows with x[p] = L U."""
    factors, _, order = typed.lu(inexact(x))
    return factors, order


@op(name="tf.linalg.lu_reconstruct")
def lu_reconstruct(factors: TensorLike, order: TensorLike) -> jax.Array:
    """Return the matrix whose factors `lu` returned."""
    factors, order = array(factors), array(order)
    size = factors.shape[-1]
    lower = jnp.tril(factors, -1) + jnp.eye(size, dtype=factors.dtype)
    product = jnp.matmul(lower, jnp.triu(factors))
    return jnp.take_along_axis(product, jnp.argsort(order, axis=-1)[..., None], axis=-2)


@op(name="tf.linalg.lu_solve")
def lu_solve(factors: TensorLike, order: TensorLike, rhs: TensorLike) -> jax.Array:
    """Return x with A x = rhs for the matrix A whose factors `lu` returned. (..., n, n), (..., n, k) -> (..., n, k)"""
    factors, rhs = inexact_pair(factors, rhs)
    order = jnp.broadcast_to(array(order), rhs.shape[:-1])
    rhs = jnp.take_along_axis(rhs, order[..., None], axis=-2)
    half = jax.scipy.linalg.solve_triangular(factors, rhs, lower=True, unit_diagonal=True)
    return jax.scipy.linalg.solve_triangular(factors, half)


@op(name="tf.linalg.lstsq")
def least_squares(matrix: TensorLike, rhs: TensorLike, penalty: float, fast: bool) -> jax.Array:
    """Return x with the least |A x - rhs|^2 + penalty |x|^2; of several, the shortest. (..., m, n), (..., m, k) -> (..., n, k)

    `fast` solves the normal equations, which squares the condition number; else singular values are used, and no penalty.
    """
    a, b = inexact_pair(matrix, rhs)
    if not fast:
        return jnp.matmul(typed.pinv(a), b)
    transposed = jnp.conj(jnp.swapaxes(a, -1, -2))
    ridge = penalty * jnp.eye(min(a.shape[-2:]), dtype=a.dtype)
    if a.shape[-2] >= a.shape[-1]:
        factor = typed.cholesky(jnp.matmul(transposed, a) + ridge)
        return jax.scipy.linalg.cho_solve((factor, True), jnp.matmul(transposed, b))
    factor = typed.cholesky(jnp.matmul(a, transposed) + ridge)
    return jnp.matmul(transposed, jax.scipy.linalg.cho_solve((factor, True), b))


@op(name="tf.linalg.expm")
def expm(x: TensorLike) -> jax.Array:
    """Return e^x = 1 + x + x x / 2 + ... for square matrices."""
    return typed.expm(inexact(x))


@op(name="tf.linalg.sqrtm")
def sqrtm(x: TensorLike) -> jax.Array:
    """Return r with r r = x for square matrices; of a real matrix the real part. JAX has it on CPU only."""
    x = inexact(x)
    roots = _square_roots(x)
    return roots if jnp.issubdtype(x.dtype, jnp.complexfloating) else roots.real.astype(x.dtype)


def _square_roots(x: jax.Array) -> jax.Array:
    flat = x.reshape(-1, *x.shape[-2:])
    return jnp.stack([typed.sqrtm(each) for each in flat]).reshape(x.shape)


# x is brought near 1 by so many square roots, each of which doubles the rounding error of the result.
_ROOTS = 2
_NODES = 24  # enough for eigenvalues that differ by six orders of magnitude


def _quadrature(count: int) -> tuple[NumpyArray, NumpyArray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


@op(name="tf.linalg.logm")
def logm(x: TensorLike) -> jax.Array:
    """Return the principal logarithm of complex square matrices, the inverse of `expm`.

    log x = 4 log(x^(1/4)), and log(1 + e) is the integral of e (1 + t e)^-1 over t from 0 to 1, by Gauss's rule
    (Higham 2008, Functions of Matrices, chapter 11).
    """
    x = array(x)
    if not jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise TypeError(
            f"`logm` takes complex matrices: tf.cast(x, tf.complex64); received {x.dtype}."
        )
    root = x
    for _ in range(_ROOTS):
        root = _square_roots(root)
    identity = jnp.eye(x.shape[-1], dtype=x.dtype)
    rest = root - identity
    total = jnp.zeros_like(x)
    for node, weight in zip(*_quadrature(_NODES), strict=True):
        total = total + float(weight) * typed.solve(identity + float(node) * rest, rest)
    return total * 2**_ROOTS
