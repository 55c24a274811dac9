"""Reductions that skip NaN: the remaining elements are what is reduced."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, DTypeLike, TensorLike
from hornbeam.ops.common import argmax, argmin, array, inexact

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
]


@op
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the sum."""
    return jnp.nansum(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the product."""
    return jnp.nanprod(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the largest element."""
    return jnp.nanmax(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the smallest element."""
    return jnp.nanmin(array(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the arithmetic mean."""
    return jnp.nanmean(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the middle element in order of size."""
    return jnp.nanmedian(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the standard deviation."""
    return jnp.nanstd(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the variance."""
    return jnp.nanvar(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Return the index of the largest element; -1 where all are NaN."""
    x = array(x)
    return _unless_all_nan(argmax(_filled(x, -np.inf), axis, keepdims), x, axis, keepdims)


@op
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> jax.Array:
    """Return the index of the smallest element; -1 where all are NaN."""
    x = array(x)
    return _unless_all_nan(argmin(_filled(x, np.inf), axis, keepdims), x, axis, keepdims)


def _filled(x: jax.Array, value: float) -> jax.Array:
    """Return x with `value` in the place of NaN."""
    return jnp.where(jnp.isnan(x), value, x) if jnp.issubdtype(x.dtype, jnp.floating) else x


def _unless_all_nan(place: jax.Array, x: jax.Array, axis: int | None, keepdims: bool) -> jax.Array:
    return jnp.where(jnp.all(jnp.isnan(x), axis=axis, keepdims=keepdims), -1, place).astype("int32")


@op
def nancumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the running sum along an axis; None: of the flattened array."""
    return jnp.nancumsum(array(x), axis=axis, dtype=None if dtype is None else canonical(dtype))


@op
def nancumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> jax.Array:
    """Return the running product along an axis; None: of the flattened array."""
    return jnp.nancumprod(array(x), axis=axis, dtype=None if dtype is None else canonical(dtype))


@op
def nanquantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> jax.Array:
    """Return the quantiles `q` in [0, 1], as `quantile` defines them."""
    x = inexact(x)
    q = jnp.asarray(q, x.dtype)
    return jnp.nanquantile(x, q, axis=as_axis(axis), method=method, keepdims=keepdims)


@op
def nanpercentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> jax.Array:
    """Return the percentiles `q` in [0, 100]."""
    x = inexact(x)
    q = jnp.asarray(q, x.dtype)
    return jnp.nanpercentile(x, q, axis=as_axis(axis), method=method, keepdims=keepdims)
