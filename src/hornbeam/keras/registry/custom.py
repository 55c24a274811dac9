"""Users' own classes and functions: registered for good, known within a scope, or passed as `custom_objects`."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

T = TypeVar("T")
Objects = Mapping[str, Any]

_registered: dict[str, Any] = {}  # "package>name" -> class or function


class _Local(threading.local):
    def __init__(self) -> None:
        self.scopes: list[Objects] = []


_local = _Local()


def find_custom(name: str | None, custom_objects: Objects | None = None) -> Any:
    """Return the user's class or function of exactly that name, or None.

    `custom_objects` come first, then the open scopes, innermost first, then what is registered as `package>name`.
    """
    if not name:
        return None
    for table in (custom_objects or {}, *reversed(_local.scopes), _registered):
        if name in table:
            return table[name]
    return None


def find_registered_without_package(name: str) -> Any:
    """Return what was registered under `name` in any package, or None.

    Keras up to 3.6 wrote functions by their bare name.
    """
    return next((obj for key, obj in _registered.items() if key.rpartition(">")[2] == name), None)


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Make a class or function known to `from_config` and to loading, as `package>name`.

    Raises ValueError for a class without a `get_config` method.

    >>> from hornbeam import keras
    >>> @keras.saving.register_keras_serializable("examples")
    ... class Twice(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> keras.saving.get_registered_name(Twice)
    'examples>Twice'
    """

    def decorator(obj: T) -> T:
        short = name or obj.__name__  # type: ignore[attr-defined]
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"{short} can't be registered: a registered class needs a get_config() method."
            )
        _registered[f"{package}>{short}"] = obj
        return obj

    return decorator


def get_registered_name(obj: Any) -> str:
    """Return the name that an object was registered under, or its own name."""
    return next((key for key, value in _registered.items() if value is obj), obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: Objects | None = None,
    module_objects: Objects | None = None,
) -> Any:
    """Return the class or function registered as `name`, or None."""
    return find_custom(name, custom_objects) or (module_objects or {}).get(name)


def get_custom_objects() -> dict[str, Any]:
    """Return the table of registered classes and functions; entries may be added."""
    return _registered


def check_objects(custom_objects: object) -> None:
    """Raise TypeError where `custom_objects` is something else than a dict of classes and functions by name."""
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise TypeError(
            "`custom_objects` should be a dict of classes and functions by name, as {'Scale': Scale}; received "
            f"{custom_objects!r}."
        )


class CustomObjectScope:
    """Within the scope, `custom_objects` (name -> class or function) are known to `get`, `from_config` and loading.

    The scope belongs to the thread that entered it.
    """

    def __init__(self, custom_objects: Objects) -> None:
        """`custom_objects` is copied on entry. Raises TypeError where it is no dict."""
        check_objects(custom_objects)
        self.custom_objects = custom_objects

    def __enter__(self) -> Self:
        _local.scopes.append(dict(self.custom_objects))
        return self

    def __exit__(self, *error: object) -> None:
        _local.scopes.pop()
