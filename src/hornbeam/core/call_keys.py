"""Keys of calls: equal keys mean that the same computation was called on other arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from types import BuiltinFunctionType, EllipsisType, MethodType
from typing import Any, TypeGuard, cast

import jax
import numpy as np

from hornbeam.core.typing import NumpyArray


class Unkeyed(Exception):
    """Raised for what has no key: a function of the user's, whose result may depend on anything."""


_PLAIN: tuple[Any, ...] = (bool, int, str, bytes, EllipsisType, np.dtype)
_FIXED = (__name__.partition(".")[0], "jax", "jaxlib", "numpy")


def call_key(fn: Callable[..., Any]) -> Hashable:
    """Return the key of a function that does not change: one of Hornbeam's modules, or what has a key itself."""
    if isinstance(fn, partial):
        return (
            call_key(fn.func),
            tuple(map(static_key, fn.args)),
            tuple((name, static_key(value)) for name, value in fn.keywords.items()),
        )
    own_key = getattr(fn, "call_key", None)
    if own_key is not None:
        return own_key
    if isinstance(fn, MethodType) and getattr(fn.__self__, "is_fixed", False):
        return fn.__self__, fn.__name__  # such objects are told apart by identity
    if _is_fixed(fn):
        return fn
    raise Unkeyed


def _is_fixed(fn: Callable[..., Any]) -> bool:
    """Return whether `fn` is a function of a module of ours, JAX's or NumPy's: no closure and no bound method."""
    if isinstance(fn, BuiltinFunctionType):
        return True
    package = (getattr(fn, "__module__", None) or "").partition(".")[0]
    name: str = getattr(fn, "__qualname__", "<locals>")
    return package in _FIXED and not isinstance(fn, MethodType) and "<" not in name


def static_key(value: Any) -> Hashable:
    """Return the key of a value that is no array; 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    if is_numpy(value):
        return type(value), value.dtype, value.shape, value.tobytes()
    kind, key = cast("Any", type(value)), _hashable(value)
    if key is not None:
        return kind, key
    if isinstance(value, type):
        return value
    if callable(value):
        return call_key(value)
    raise Unkeyed


def _hashable(value: Any) -> Hashable:
    """Return what tells values of one type apart; None for a type that is not known here."""
    kind = cast("Any", type(value))
    if kind is float:
        return value.hex()
    if kind is complex:
        return value.real.hex(), value.imag.hex()
    if kind is slice:
        return tuple(map(static_key, (value.start, value.stop, value.step)))
    if kind is type(None):
        return True
    return value if isinstance(value, _PLAIN) else None


def is_numpy(value: object) -> TypeGuard[NumpyArray]:
    """Return whether `value` is a NumPy array or scalar."""
    return isinstance(value, (np.ndarray, np.generic))


_SIZES = 64


def is_array(raw: object) -> bool:
    """Return whether a leaf is an argument of compiled forms; small arrays of whole numbers are sizes, and part of them."""
    if isinstance(raw, jax.Array):
        return True
    return is_numpy(raw) and raw.ndim > 0 and (raw.dtype.kind not in "iub" or raw.size > _SIZES)
