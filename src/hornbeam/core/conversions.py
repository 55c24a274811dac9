"""Objects of users' classes as tensors: by a function that was registered for the class, or the object's `__tf_tensor__`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.ordered import tree_map

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike

Conversion = Callable[..., Any]

_lock = threading.Lock()
# By priority, then in the order of registration: `(priority, classes, function)`.
_registered: list[tuple[float, tuple[type[Any], ...], Conversion]] = []
_BUILT_IN = (int, float, np.generic, np.ndarray)
# Packages whose classes say themselves what they are.
_KNOWN = frozenset(["builtins", "numpy", "jax", "jaxlib", "ml_dtypes", "hornbeam"])


def register_tensor_conversion_function(
    base_type: type[Any] | tuple[type[Any], ...], conversion_func: Conversion, priority: int = 100
) -> None:
    """Let objects of a class become tensors, wherever a tensor is taken.

    `conversion_func(value, dtype=None, name=None, as_ref=False)` returns a tensor, or NotImplemented to leave the value to the
    next function; those of lower priority are asked first. A class can define `__tf_tensor__(self, dtype=None, name=None)` instead.
    Raises TypeError for what is no class or no function, and for Python's numbers and NumPy's arrays.

    >>> import hornbeam as tf
    >>> class Metres:
    ...     def __init__(self, value):
    ...         self.value = value
    >>> def convert(length, dtype=None, name=None, as_ref=False):
    ...     return tf.constant(length.value, dtype)
    >>> tf.register_tensor_conversion_function(Metres, convert)
    >>> tf.add(Metres(2.0), 1.0).numpy()
    np.float32(3.0)
    """
    classes = base_type if isinstance(base_type, tuple) else (base_type,)
    for each in cast("tuple[object, ...]", classes):
        if not isinstance(each, type):
            raise TypeError(
                f"Argument `base_type` must be a type or a tuple of types. Obtained: {base_type}"
            )
        if issubclass(each, _BUILT_IN):
            raise TypeError(
                "Cannot register conversions for Python numeric types and NumPy scalars and arrays."
            )
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received {conversion_func}.")
    with _lock:
        _registered.append((priority, classes, conversion_func))
        _registered.sort(key=lambda row: row[0])


def has_conversion(value: object) -> bool:
    """Return whether an object may become a tensor by its class."""
    return _says_itself(value) or any(isinstance(value, classes) for _, classes, _ in _registered)


def converted(value: Any, dtype: DTypeLike | None) -> Any:
    """Return the tensor that an object stands for; NotImplemented where its class says nothing of it.

    Raises RuntimeError for what a function returns that is no tensor, or of another type than the one asked for.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if _says_itself(value):
        return _checked(value.__tf_tensor__(wanted, None), "`__tf_tensor__`", value, wanted)
    for _, classes, function in list(_registered):
        if isinstance(value, classes):
            found = function(value, dtype=wanted, name=None, as_ref=False)
            if found is not NotImplemented:
                return _checked(found, f"Conversion function {function!r}", value, wanted)
    return NotImplemented


def _says_itself(value: object) -> bool:
    return hasattr(type(value), "__tf_tensor__")


def _is_foreign_array(value: object) -> bool:
    package = type(value).__module__.partition(".")[0]
    return hasattr(value, "__array__") and package not in _KNOWN


def _checked(found: Any, what: str, value: object, dtype: Any) -> Any:
    if not hasattr(found, "shape") or not hasattr(found, "dtype"):
        raise RuntimeError(f"{what} for type {type(value)} returned non-Tensor: {found}")
    if dtype is not None and as_dtype(found.dtype) != dtype:
        raise RuntimeError(
            f"{what} for type {type(value)} returned incompatible dtype: requested = {dtype.name}, actual = "
            f"{as_dtype(found.dtype).name}"
        )
    return found


def with_tensors(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Return the arguments of a call with tensors in place of such objects; None where there are none among them."""
    found = False

    def leaf(value: Any) -> Any:
        nonlocal found
        tensor = converted(value, None) if has_conversion(value) else NotImplemented
        if tensor is NotImplemented and _is_foreign_array(value):
            tensor = np.asarray(value)
        found = found or tensor is not NotImplemented
        return value if tensor is NotImplemented else tensor

    args, kwargs = tree_map(leaf, (args, kwargs), is_leaf=has_conversion)
    return (args, kwargs) if found else None
