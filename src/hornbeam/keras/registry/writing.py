"""Objects as configurations: values that JSON can hold, in the format of Keras 3."""

from __future__ import annotations

import inspect
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor
from hornbeam.keras.registry import tables
from hornbeam.keras.registry.custom import get_registered_name

_PARTS = ("build_config", "compile_config")
_NUMBER = "shared_object_id"  # as Keras calls it


class _Local(threading.local):
    def __init__(self) -> None:
        # Objects with variables that have been written, and their numbers; None outside of `serialize_sharing`.
        self.seen: dict[int, tuple[Any, int]] | None = None


_local = _Local()


class Anonymous(dict[str, Any]):
    """The place of a function without a name in a configuration. A file keeps nothing of the function; this process does."""

    def __init__(self, function: Any) -> None:
        super().__init__(class_name="__lambda__", config={})
        self.function = function


def serialize_sharing(obj: Any) -> Any:
    """Return `obj` as `serialize_keras_object` does, with numbers for the objects with weights that it holds several times.

    Reading makes each of these one object again.
    """
    outer, _local.seen = _local.seen, {}
    try:
        config = serialize_keras_object(obj)
    finally:
        _local.seen = outer
    numbered = list(_numbered(config))
    counts = Counter(each[_NUMBER] for each in numbered)
    for each in numbered:
        if counts[each[_NUMBER]] == 1:
            del each[_NUMBER]
    return config


def _numbered(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the configurations that `_note` has numbered."""
    left = [tree]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value and isinstance(value.get(_NUMBER), int):
                yield value
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value


def serialize_keras_object(obj: Any) -> Any:
    """Return `obj` as values that JSON can hold, in the format of Keras 3.

    Raises ValueError for a lambda: code is not written to files.

    >>> from hornbeam import keras
    >>> keras.saving.serialize_keras_object(keras.initializers.Zeros())["class_name"]
    'Zeros'
    """
    if obj is None or isinstance(obj, (bool, int, float)):
        return obj
    if isinstance(obj, DType):
        return obj.name
    if isinstance(obj, str):
        return obj
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, TensorShape):
        return tuple(obj)
    if isinstance(obj, (list, tuple)):
        values = [serialize_keras_object(each) for each in obj]
        return tuple(values) if isinstance(obj, tuple) else values
    if (special := _special(obj)) is not None:
        return special
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return _object_config(obj)
    if callable(obj):
        return _function_config(obj)
    raise ValueError(f"Can't describe {obj!r} (a {type(obj).__name__}) as a configuration.")


def _special(obj: Any) -> Any:
    """Return the form of values that are no objects of Keras, or None."""
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype):
        return as_dtype(obj).name
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize_keras_object(parts)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, (np.ndarray, Tensor)):
        value = np.asarray(obj)
        if value.dtype.kind in "OSUMm":
            raise ValueError(
                f"Can't describe an array of type {value.dtype} as a configuration: it holds numbers. Use a list."
            )
        if isinstance(obj, np.ndarray) and not obj.ndim:
            return value.item()
        tag = "__numpy__" if isinstance(obj, np.ndarray) else "__tensor__"
        return {"class_name": tag, "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    return None


def _object_config(obj: Any) -> dict[str, Any]:
    config: dict[str, Any] = dict(
        zip(("module", "class_name", "registered_name"), _names(type(obj)), strict=True)
    )
    config["config"] = serialize_keras_object(obj.get_config())
    for part in _PARTS:
        get = getattr(obj, f"get_{part}", None)
        if get is not None and (found := get()) is not None:
            config[part] = serialize_keras_object(found)
    _note(obj, config)
    return config


def _note(obj: Any, config: dict[str, Any]) -> None:
    seen = _local.seen
    if seen is None or not hasattr(type(obj), "variables"):
        return
    # All are numbered: what contains this configuration may be a copy by the time that the object occurs again.
    config[_NUMBER] = seen.setdefault(id(obj), (obj, len(seen) + 1))[1]


def _names(cls: type) -> tuple[str | None, str, str | None]:
    """Return module, class name and registered name as Keras writes them."""
    if (own := tables.written(cls)) is not None:
        module, name = own
        is_private = module.startswith("keras.src.")
        return module, name, name if is_private else None
    module = None if cls.__module__ == "__main__" else cls.__module__
    return module, cls.__name__, get_registered_name(cls)


def _function_config(fn: Any) -> Any:
    if (own := tables.written(fn)) is not None:
        return own[1]
    name = getattr(fn, "__name__", "")
    if not name or name == "<lambda>":
        raise ValueError(
            f"{fn!r} has no name to be found by when the configuration is loaded. Use a function or class with a name "
            "and register it with @keras.saving.register_keras_serializable()."
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": get_registered_name(fn),
        "registered_name": "function",  # as Keras: the class of the object
    }
