"""Tensors made of a rule: constants, ranges, grids, windows. Types default to `keras.config.floatx()`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.recording import without_gradient
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops.common import array, float_dtype, inexact

__all__ = [
    "arange",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]

Shape = int | Sequence[int]


def _like(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    return None if dtype is None else canonical(dtype)


def _size(shape: Shape) -> int | tuple[int, ...]:
    return shape if isinstance(shape, int) else tuple(shape)


@op
def zeros(shape: Shape, dtype: DTypeLike | None = None) -> jax.Array:
    """Return a tensor of 0."""
    return jnp.zeros(_size(shape), float_dtype(dtype))


@op
def ones(shape: Shape, dtype: DTypeLike | None = None) -> jax.Array:
    """Return a tensor of 1."""
    return jnp.ones(_size(shape), float_dtype(dtype))


@op
def full(shape: Shape, fill_value: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return a tensor of `fill_value`."""
    return jnp.full(_size(shape), array(fill_value), float_dtype(dtype))


@op
def empty(shape: Shape, dtype: DTypeLike | None = None) -> jax.Array:
    """Return a tensor whose values do not matter (they are 0)."""
    return jnp.zeros(_size(shape), float_dtype(dtype))


@op
@without_gradient
def zeros_like(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return 0 in the shape and type of x."""
    return jnp.zeros_like(array(x), dtype=_like(dtype))


@op
@without_gradient
def ones_like(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return 1 in the shape and type of x."""
    return jnp.ones_like(array(x), dtype=_like(dtype))


@op
def full_like(x: TensorLike, fill_value: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return `fill_value` in the shape and type of x."""
    return jnp.full_like(array(x), array(fill_value), dtype=_like(dtype))


@op
@without_gradient
def empty_like(x: TensorLike, dtype: DTypeLike | None = None) -> jax.Array:
    """Return values that do not matter (they are 0) in the shape and type of x."""
    return jnp.zeros_like(array(x), dtype=_like(dtype))


@op
def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> jax.Array:
    """Return an N x M matrix with 1 on the kth diagonal; M None is N."""
    return jnp.eye(N, M, k=k, dtype=float_dtype(dtype))


@op
def identity(n: int, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the n x n identity matrix."""
    return jnp.eye(n, dtype=float_dtype(dtype))


@op
def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> jax.Array:
    """Return an N x M matrix with 1 on and below the kth diagonal."""
    return jnp.tri(N, M, k=k, dtype=float_dtype(dtype))


@op
def arange(
    start: Any, stop: Any = None, step: Any = None, dtype: DTypeLike | None = None
) -> jax.Array:
    """Return start, start + step, ... below stop; with one argument 0 ... start - 1.

    >>> from hornbeam.keras import ops
    >>> print(ops.arange(3).numpy(), ops.arange(1.0, 2.0, 0.5).numpy())
    [0 1 2] [1.  1.5]
    """
    return jnp.arange(start, stop, step, dtype=_like(dtype))


@op
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> jax.Array | tuple[jax.Array, jax.Array]:
    """Return `num` numbers at equal distance from start to stop; with `retstep` also the distance.

    >>> from hornbeam.keras import ops
    >>> print(ops.linspace(0, 1, 5).numpy())
    [0.   0.25 0.5  0.75 1.  ]
    """
    return jnp.linspace(
        inexact(start), inexact(stop), num, endpoint, retstep, dtype=_like(dtype), axis=axis
    )


@op
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> jax.Array:
    """Return `num` numbers from base^start to base^stop, at equal ratios."""
    return jnp.logspace(
        inexact(start), inexact(stop), num, endpoint, base, dtype=_like(dtype), axis=axis
    )


@op
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> jax.Array:
    """Return `num` numbers from start to stop, at equal ratios."""
    return jnp.geomspace(
        inexact(start), inexact(stop), num, endpoint, dtype=_like(dtype), axis=axis
    )


@op
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[jax.Array]:
    """Return coordinates of a grid: one tensor per axis, in the order "xy" (as images) or "ij" (as matrices)."""
    return list(jnp.meshgrid(*[array(each) for each in x], indexing=indexing))


@op
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> jax.Array:
    """Return the powers of x as columns: x^(N-1) ... x^0, or the reverse."""
    return jnp.vander(array(x), N, increasing)


@op
def bartlett(x: int) -> jax.Array:
    """Return the Bartlett (triangular) window of x points."""
    return jnp.bartlett(x).astype(float_dtype(None))


@op
def blackman(x: int) -> jax.Array:
    """Return the Blackman window of x points."""
    return jnp.blackman(x).astype(float_dtype(None))


@op
def hamming(x: int) -> jax.Array:
    """Return the Hamming window of x points."""
    return jnp.hamming(x).astype(float_dtype(None))


@op
def hanning(x: int) -> jax.Array:
    """Return the Hann window of x points."""
    return jnp.hanning(x).astype(float_dtype(None))


@op
def kaiser(x: int, beta: float) -> jax.Array:
    """Return the Kaiser window of x points; a larger beta lowers the side lobes and widens the peak."""
    return jnp.kaiser(x, beta).astype(float_dtype(None))
