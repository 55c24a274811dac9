"""New tensors, under NumPy's names; floats have 64 bits unless a type is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.experimental.numpy.promotion import common_type, default_float, tensor, wide
from hornbeam.tensors.creation import static_shape


def _kind(dtype: DTypeLike | None) -> Any:
    """Return the type; None and Python's float stand for the default one."""
    return default_float() if dtype is None or dtype is float else dtype


def array(
    val: TensorLike, dtype: DTypeLike | None = None, copy: bool = True, ndmin: int = 0
) -> Any:
    """Return a tensor with the values and the type that NumPy's array would have; at least `ndmin` axes.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.array([1.5, 2.5]).numpy().tolist()
    [1.5, 2.5]
    """
    found = tensor(val, dtype)
    missing = ndmin - len(found.shape)
    return ops.expand_dims(found, tuple(range(missing))) if missing > 0 else found


def asarray(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return a tensor with the values and the type that NumPy's array would have."""
    return tensor(a, dtype)


def asanyarray(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return a tensor, as `asarray`."""
    return tensor(a, dtype)


def ascontiguousarray(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return a tensor of one axis or more."""
    return array(a, dtype, ndmin=1)


def copy(a: TensorLike) -> Any:
    """Return a tensor with the same values."""
    return ops.copy(tensor(a))


def zeros(shape: Any, dtype: DTypeLike | None = float) -> Any:
    """Return zeros.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.zeros(2).numpy().tolist()
    [0.0, 0.0]
    """
    return ops.zeros(static_shape(shape), _kind(dtype))


def ones(shape: Any, dtype: DTypeLike | None = float) -> Any:
    """Return ones."""
    return ops.ones(static_shape(shape), _kind(dtype))


def empty(shape: Any, dtype: DTypeLike | None = float) -> Any:
    """Return zeros: nothing is faster to make."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return a tensor filled with one value."""
    value = tensor(fill_value, dtype)
    return ops.broadcast_to(value, static_shape(shape))


def zeros_like(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return zeros of the shape and type of `a`."""
    return ops.zeros_like(tensor(a), dtype)


def ones_like(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return ones of the shape and type of `a`."""
    return ops.ones_like(tensor(a), dtype)


def empty_like(a: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return zeros of the shape and type of `a`."""
    return zeros_like(a, dtype)


def full_like(
    a: TensorLike,
    fill_value: TensorLike,
    dtype: DTypeLike | None = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
) -> Any:
    """Return a tensor of the shape and type of `a`, filled with one value."""
    like = tensor(a)
    return full(like.shape if shape is None else shape, fill_value, dtype or like.dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = float) -> Any:
    """Return ones on the kth diagonal, zeros elsewhere."""
    return ops.eye(N, M, k, dtype=_kind(dtype))


def identity(n: int, dtype: DTypeLike | None = float) -> Any:
    """Return ones on the diagonal, zeros elsewhere."""
    return ops.eye(n, dtype=_kind(dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Any:
    """Return ones on and below the kth diagonal, zeros above."""
    return ops.tri(N, M, k, dtype=_kind(dtype))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: DTypeLike | None = None) -> Any:
    """Return start, start + step, ... up to but without `stop`; `arange(n)` begins at 0.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.arange(1, 7, 2).numpy().tolist()
    [1, 3, 5]
    """
    numbers = [each for each in (start, stop, step) if each is not None]
    kind = common_type(*numbers) if dtype is None else dtype
    return ops.arange(start, stop, step, dtype=kind)


def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = float,
    axis: int = 0,
) -> Any:
    """Return `num` values from `start` to `stop` at equal distances; without `endpoint` the last is left out.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.linspace(0, 1, 3).numpy().tolist()
    [0.0, 0.5, 1.0]
    """
    kind = _between(start, stop, dtype)
    first, last = tensor(start, kind), tensor(stop, kind)
    values, step = _spaced(first, last, num, endpoint, axis)
    return (values, step) if retstep else values


def _between(start: TensorLike, stop: TensorLike, dtype: DTypeLike | None) -> Any:
    """Return the type of values between two limits: theirs if it is a floating type."""
    if dtype is not None and dtype is not float:
        return dtype
    found = common_type(start, stop)
    return found if as_dtype(found).is_floating else default_float()


def _spaced(first: Any, last: Any, num: int, endpoint: bool, axis: int) -> tuple[Any, Any]:
    found = ops.linspace(first, last, num, endpoint, True, first.dtype, axis)
    return found[0], found[1]


def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Return `num` values from base^start to base^stop at equal ratios."""
    powers = linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)
    return ops.power(tensor(base, powers.dtype), powers)


def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Return `num` values from `start` to `stop` at equal ratios."""
    kind = _between(start, stop, dtype)
    first, last = (ops.log(tensor(each, kind)) for each in (start, stop))
    return ops.exp(_spaced(first, last, num, endpoint, axis)[0])


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """Return the indices of the diagonal of an array of `ndim` axes of size n."""
    return (ops.arange(n, dtype="int32"),) * ndim


def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of x, highest first: (n,) -> (n, N)"""
    return ops.vander(tensor(x), N, increasing)


def meshgrid(*xi: TensorLike, **kwargs: Any) -> list[Any]:
    """Return coordinates of a grid; `indexing` is "xy" or "ij"."""
    indexing = kwargs.pop("indexing", "xy")
    wrong = [name for name, value in kwargs.items() if value is not (name == "copy")]
    if wrong:
        raise ValueError(f"`meshgrid` returns whole tensors: leave {', '.join(wrong)} out.")
    return list(ops.meshgrid(*(tensor(each) for each in xi), indexing=indexing))


def ix_(*args: TensorLike) -> list[Any]:
    """Return rows of indices in shapes that broadcast against each other: (n,), (m,) -> (n, 1), (1, m)"""
    found: list[Any] = []
    for i, each in enumerate(args):
        row: Any = tensor(each)
        if as_dtype(row.dtype).is_bool:
            row = tensor(np.nonzero(np.asarray(row))[0], wide("int64"))
        found.append(ops.reshape(row, (1,) * i + (-1,) + (1,) * (len(args) - i - 1)))
    return found
