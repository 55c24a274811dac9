"""TensorFlow's parameter names over functions that have others."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from hornbeam.core.tensor import convert_to_tensor
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
        return fn(_tensor(x), _tensor(y))

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


def _tensor(value: TensorLike) -> TensorLike:
    return convert_to_tensor(value) if isinstance(value, (list, tuple)) else value


def _static(axis: Axis) -> int | tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)
