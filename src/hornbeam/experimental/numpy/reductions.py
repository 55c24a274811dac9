"""Sums, means, places of extremes and their like, under NumPy's names."""

from __future__ import annotations

from typing import Any

from hornbeam import ops
from hornbeam.core.typing import Axis, DTypeLike, TensorLike
from hornbeam.experimental.numpy.elementwise import _refuse
from hornbeam.experimental.numpy.promotion import (
    common,
    counting,
    floating,
    of_reduction,
    tensor,
    wide,
)

all = of_reduction(ops.all, "all")
any = of_reduction(ops.any, "any")
max = of_reduction(ops.max, "max")
min = of_reduction(ops.min, "min")
ptp = of_reduction(ops.ptp, "ptp")
std = of_reduction(ops.std, "std", floating)


def amax(a: TensorLike, axis: Axis = None, out: Any = None, keepdims: bool | None = None) -> Any:
    """Return the greatest element along axes, of all by default."""
    _refuse(out=out)
    return max(a, axis, keepdims)


def amin(a: TensorLike, axis: Axis = None, out: Any = None, keepdims: bool | None = None) -> Any:
    """Return the least element along axes, of all by default."""
    _refuse(out=out)
    return min(a, axis, keepdims)


def sum(
    a: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool | None = None
) -> Any:
    """Return the sum along axes, of all elements by default; short integers are added in 64 bits.

    >>> import hornbeam.experimental.numpy as tnp
    >>> int(tnp.sum([[1, 2], [3, 4]]))
    10
    """
    x = counting(a) if dtype is None else tensor(a, dtype)
    return ops.sum(x, axis, bool(keepdims))


def prod(
    a: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool | None = None
) -> Any:
    """Return the product along axes, of all elements by default; short integers are multiplied in 64 bits."""
    x = counting(a) if dtype is None else tensor(a, dtype)
    return ops.prod(x, axis, bool(keepdims))


def mean(
    a: TensorLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """Return the mean along axes, of all elements by default.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.mean([[1, 2], [3, 4]], axis=0).numpy().tolist()
    [2.0, 3.0]
    """
    _refuse(out=out)
    x = floating(a)[0] if dtype is None else tensor(a, dtype)
    return ops.mean(x, axis, bool(keepdims))


def var(
    a: TensorLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: Any = None,
    ddof: int = 0,
    keepdims: bool | None = None,
) -> Any:
    """Return the variance along axes: sum((a - mean)^2) / (n - ddof)."""
    _refuse(out=out)
    x = floating(a)[0] if dtype is None else tensor(a, dtype)
    found = ops.var(x, axis, bool(keepdims))
    if not ddof:
        return found
    count = ops.size(x) / (ops.size(found) or 1)
    return ops.multiply(found, count / (count - ddof))


def nanmean(
    a: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool | None = None
) -> Any:
    """Return the mean along axes of what is not NaN."""
    x = floating(a)[0] if dtype is None else tensor(a, dtype)
    return ops.nanmean(x, axis, bool(keepdims))


def nansum(
    a: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Any:
    """Return the sum along axes of what is not NaN."""
    x = counting(a) if dtype is None else tensor(a, dtype)
    return ops.nansum(x, axis, bool(keepdims))


def nanprod(
    a: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Any:
    """Return the product along axes of what is not NaN."""
    x = counting(a) if dtype is None else tensor(a, dtype)
    return ops.nanprod(x, axis, bool(keepdims))


def average(
    a: TensorLike, axis: Axis = None, weights: TensorLike | None = None, returned: bool = False
) -> Any:
    """Return sum(weights a) / sum(weights) along axes; `returned` adds the sum of weights.

    >>> import hornbeam.experimental.numpy as tnp
    >>> float(tnp.average([1.0, 3.0], weights=[3.0, 1.0]))
    1.5
    """
    if weights is None:
        x = floating(a)[0]
        found = ops.mean(x, axis)
        count = ops.size(x) // (ops.size(found) or 1)
        total = ops.full_like(found, count)
    else:
        x, w = floating(a, weights)
        found = ops.average(x, axis, w)
        total = ops.broadcast_to(
            ops.sum(w, axis if len(w.shape) == len(x.shape) else None), found.shape
        )
    return (found, total) if returned else found


def count_nonzero(a: TensorLike, axis: Axis = None) -> Any:
    """Return the number of elements along axes that are not 0."""
    return ops.cast(ops.count_nonzero(tensor(a), axis), wide("int64"))


def argmax(a: TensorLike, axis: int | None = None) -> Any:
    """Return the place of the greatest element along an axis, None: in the flattened array.

    >>> import hornbeam.experimental.numpy as tnp
    >>> int(tnp.argmax([[1, 9], [3, 4]]))
    1
    """
    return ops.cast(ops.argmax(tensor(a), axis), wide("int64"))


def argmin(a: TensorLike, axis: int | None = None) -> Any:
    """Return the place of the least element along an axis, None: in the flattened array."""
    return ops.cast(ops.argmin(tensor(a), axis), wide("int64"))


def cumsum(a: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """Return the sums of the elements up to each place along an axis, None: of the flattened array."""
    return ops.cumsum(counting(a) if dtype is None else tensor(a, dtype), axis)


def cumprod(a: TensorLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Any:
    """Return the products of the elements up to each place along an axis, None: of the flattened array."""
    return ops.cumprod(counting(a) if dtype is None else tensor(a, dtype), axis)


def trace(
    a: TensorLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
) -> Any:
    """Return the sum of a diagonal."""
    return ops.trace(tensor(a, dtype), offset, axis1, axis2)


def allclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether all |a - b| <= atol + rtol |b|."""
    return ops.all(isclose(a, b, rtol, atol, equal_nan))


def isclose(
    a: TensorLike, b: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Return for each pair whether |a - b| <= atol + rtol |b|."""
    x, y = common(a, b)
    return ops.isclose(x, y, rtol, atol, equal_nan)


def array_equal(a1: TensorLike, a2: TensorLike) -> Any:
    """Return whether both have the same shape and equal elements."""
    a, b = common(a1, a2)
    return ops.all(ops.equal(a, b)) if tuple(a.shape) == tuple(b.shape) else tensor(False)
