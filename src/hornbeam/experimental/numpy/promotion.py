"""The element types of `tf.experimental.numpy`: NumPy's rules, in which whole numbers and floats of Python have 64 bits."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core import config
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.core.typing import Axis, DTypeLike, TensorLike
from hornbeam.core.variable import Variable

# Set by `experimental_enable_numpy_behavior`.
prefers_32_bits = False

_NARROW = {"float64": "float32", "int64": "int32", "complex128": "complex64"}


def prefer_32_bits(preferred: bool) -> None:
    """Let results that have no type of their own take 32 bits, or 64 as in NumPy."""
    global prefers_32_bits
    prefers_32_bits = preferred


config.add_surrounding(lambda: prefers_32_bits)


def wide(name: str) -> str:
    """Return the type of 64 bits, or its kin of 32 bits where these are preferred."""
    return _NARROW.get(name, name) if prefers_32_bits else name


def default_float() -> str:
    """Return the type of results that have no type of their own."""
    return wide("float64")


def tensor(value: TensorLike, dtype: DTypeLike | None = None) -> Any:
    """Return a tensor of the type that NumPy's array would have."""
    if is_tensor(value) or isinstance(value, Variable) or is_symbolic(value):
        return value if dtype is None else ops.cast(value, dtype)
    if dtype is not None:
        return convert_to_tensor(value, dtype)
    if isinstance(value, (list, tuple)) and any(is_tensor(each) for each in value):
        return convert_to_tensor(value)
    array = np.asarray(value)
    has_own_type = isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "dtype")
    return convert_to_tensor(array, array.dtype if has_own_type else wide(array.dtype.name))


def _kind(value: Any) -> Any:
    """Return what counts for the common type: a Python number only by its kind, anything else by its type."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    return np.dtype(as_dtype(tensor(value).dtype).name)


def common_type(*values: Any) -> str:
    """Return the name of the type that NumPy gives to the sum of the values."""
    kinds = [_kind(each) for each in values]
    found = np.result_type(*kinds).name
    return found if any(isinstance(each, np.dtype) for each in kinds) else wide(found)


def common(*values: TensorLike) -> list[Any]:
    """Return the values as tensors of their common type."""
    kind = common_type(*values)
    return [tensor(each, kind) for each in values]


def _is_inexact(kind: str) -> bool:
    found = as_dtype(kind)
    return found.is_floating or found.is_complex


def floating(*values: TensorLike) -> list[Any]:
    """Return the values as tensors of their common type, whole numbers and booleans as floats."""
    kind = common_type(*values)
    kind = kind if _is_inexact(kind) else default_float()
    return [tensor(each, kind) for each in values]


def counting(value: TensorLike) -> Any:
    """Return a tensor whose sums do not overflow: short integers and booleans become 64-bit integers."""
    found = tensor(value)
    kind = as_dtype(found.dtype)
    if kind.is_bool or (kind.is_integer and kind.size < 8):
        return ops.cast(found, wide("uint64" if kind.is_unsigned else "int64"))
    return found


Function = Callable[..., Any]
Convert = Callable[..., list[Any]]


def _dressed(face: FunctionType, fn: Function, name: str, text: str | None) -> Function:
    face.__name__ = face.__qualname__ = name
    face.__code__ = face.__code__.replace(co_name=name, co_qualname=name)  # for tracebacks
    face.__doc__ = text or fn.__doc__
    return face


def of_x(fn: Function, name: str, convert: Convert = common, text: str | None = None) -> Function:
    """Return `fn` as a function `(x)`."""

    def face(x: TensorLike) -> Any:
        return fn(*convert(x))

    return _dressed(face, fn, name, text)


def of_x1_x2(
    fn: Function, name: str, convert: Convert = common, text: str | None = None
) -> Function:
    """Return `fn` as a function `(x1, x2)`."""

    def face(x1: TensorLike, x2: TensorLike) -> Any:
        return fn(*convert(x1, x2))

    return _dressed(face, fn, name, text)


def of_a_b(fn: Function, name: str, convert: Convert = common) -> Function:
    """Return `fn` as a function `(a, b)`."""

    def face(a: TensorLike, b: TensorLike) -> Any:
        return fn(*convert(a, b))

    return _dressed(face, fn, name, None)


def of_reduction(fn: Function, name: str, convert: Convert = common) -> Function:
    """Return `fn` as a function `(a, axis=None, keepdims=None)`."""

    def face(a: TensorLike, axis: Axis = None, keepdims: bool | None = None) -> Any:
        return fn(*convert(a), axis=axis, keepdims=bool(keepdims))

    return _dressed(face, fn, name, None)
