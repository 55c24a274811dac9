"""What `tf.linalg` has beyond `keras.ops`: products of transposed matrices, diagonals and bands of batches."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import einsum as einsum_of
from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import matmul as products
from hornbeam.ops.common import array


@op(name="tf.matmul")
def matmul_of_transposed(
    a: TensorLike,
    b: TensorLike,
    transpose_a: bool,
    transpose_b: bool,
    conjugate_a: bool,
    conjugate_b: bool,
) -> jax.Array:
    """Return a @ b on the last two axes, each transposed and conjugated first where asked."""
    a, b = array(a), array(b)
    a, b = jnp.conj(a) if conjugate_a else a, jnp.conj(b) if conjugate_b else b
    products.require_factors("a", a, "b", b, transpose_a, transpose_b)
    return products.matmul(a, b, transpose_a, transpose_b)


@op(name="tf.linalg.matvec")
def matvec(a: TensorLike, b: TensorLike, transpose: bool) -> jax.Array:
    """Return the product of matrices and vectors. (..., m, n), (..., n) -> (..., m)"""
    a, b = array(a), array(b)
    if a.ndim < 2 or b.ndim < 1 or a.shape[-2 if transpose else -1] != b.shape[-1]:
        raise ValueError(
            f"`matvec` takes `a` of shape {'(..., n, m)' if transpose else '(..., m, n)'} and `b` of shape (..., n); "
            f"received a.shape={a.shape}, b.shape={b.shape}."
        )
    return einsum_of("...ji,...j->...i" if transpose else "...ij,...j->...i", a, b)


@op(name="tf.linalg.adjoint")
def adjoint(x: TensorLike) -> jax.Array:
    """Return the conjugate of the transposed matrix. (..., m, n) -> (..., n, m)"""
    return jnp.conj(jnp.swapaxes(array(x), -1, -2))


@op(name="tf.linalg.band_part")
def band_part(x: TensorLike, lower: int, upper: int) -> jax.Array:
    """Return x with zeros outside of a band around the diagonal; a negative number keeps the whole triangle."""
    x = array(x)
    rows, columns = jnp.arange(x.shape[-2])[:, None], jnp.arange(x.shape[-1])[None, :]
    kept = jnp.ones((x.shape[-2], x.shape[-1]), bool)
    kept = kept & (rows - columns <= lower) if lower >= 0 else kept
    kept = kept & (columns - rows <= upper) if upper >= 0 else kept
    return jnp.where(kept, x, jnp.zeros((), x.dtype))
