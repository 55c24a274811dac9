"""TensorFlow's parameter names over functions that have others."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import invalid
from hornbeam.core.host import is_text, strings
from hornbeam.core.shapes import as_axis
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.core.typing import Axis, TensorLike

Function = Callable[..., Any]


def _dressed(face: FunctionType, fn: Function, name: str | None) -> Function:
    face.__name__ = face.__qualname__ = name = name or fn.__name__
    face.__code__ = face.__code__.replace(co_name=name, co_qualname=name)  # for tracebacks
    face.__doc__ = fn.__doc__
    return face


def of_x(fn: Function, title: str | None = None) -> Function:
    """Return `fn` as a function `(x, name=None)`."""

    def face(x: TensorLike, name: str | None = None) -> Any:
        return fn(_tensor(x))

    return _dressed(face, fn, title)


def of_input(fn: Function, title: str | None = None) -> Function:
    """Return `fn` as a function `(input, name=None)`."""

    def face(input: TensorLike, name: str | None = None) -> Any:
        return fn(_tensor(input))

    return _dressed(face, fn, title)


def of_features(fn: Function, title: str | None = None) -> Function:
    """Return `fn` as a function `(features, name=None)`."""

    def face(features: TensorLike, name: str | None = None) -> Any:
        return fn(_tensor(features))

    return _dressed(face, fn, title)


def of_xy(fn: Function, title: str | None = None) -> Function:
    """Return `fn` as a function `(x, y, name=None)`."""

    def face(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
        return fn(*of_one_type(x, y))

    return _dressed(face, fn, title)


def of_reduction(fn: Function, title: str) -> Function:
    """Return `fn` as a function `(input_tensor, axis=None, keepdims=False, name=None)`."""

    def face(
        input_tensor: TensorLike,
        axis: Axis = None,
        keepdims: bool = False,
        name: str | None = None,
    ) -> Any:
        return fn(_tensor(input_tensor), axis=_static(axis), keepdims=keepdims)

    return _dressed(face, fn, title)


def first_tensor(value: TensorLike) -> Any:
    """Return the first argument of a function as a tensor: a NumPy array keeps its type whatever it meets."""
    return value if _is_typed(value) else convert_to_tensor(value)


def _tensor(value: TensorLike) -> TensorLike:
    if isinstance(value, (list, tuple)):
        return strings(value) if is_text(value) else convert_to_tensor(value)
    return value


def of_one_type(x: TensorLike, y: TensorLike) -> tuple[TensorLike, TensorLike]:
    """Return both with the types of TensorFlow: what is no tensor takes the type of the one that is, else of `x`.

    Whole numbers do not become the type of a float this way, nor floats that of whole numbers: ops promote these.
    """
    if _is_typed(x):
        return x, _beside(x, y)
    if _is_typed(y):
        return _beside(y, x), y
    if _is_numpy(x) or _is_numpy(y):
        x, found = convert_to_tensor(x), convert_to_tensor(y)
        if found.dtype.is_floating == x.dtype.is_floating:
            found = convert_to_tensor(y, x.dtype)  # of y itself, which `found` may have rounded
        return x, found
    return _tensor(x), _tensor(y)


def _is_numpy(value: object) -> bool:
    return isinstance(value, (np.ndarray, np.generic))


def _is_typed(value: object) -> bool:
    return is_symbolic(value) or is_tensor(value)


def _beside(typed: Any, value: TensorLike) -> TensorLike:
    """Return a list as a tensor, floats in the type of another one."""
    if not isinstance(value, (list, tuple)):
        return value
    found = convert_to_tensor(value)
    kind = as_dtype(typed.dtype)
    return convert_to_tensor(value, kind) if found.dtype.is_floating and kind.is_floating else found


def _static(axis: Axis) -> int | tuple[int, ...] | None:
    if isinstance(axis, (float, str)):
        raise invalid(f"`axis` is an integer, or a list of integers; received {axis!r}.")
    return as_axis(axis)
