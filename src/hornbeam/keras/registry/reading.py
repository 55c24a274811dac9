"""Objects from configurations: names are looked up in tables; nothing is imported, and no code is run.

Whose name a configuration means follows from its module. `keras...` means Hornbeam's own objects, whatever classes of
the same name the user has; a registered name `package>name`, or a module of the user's, means the user's, found only in
`custom_objects`, an open `CustomObjectScope` or what was registered. A configuration without a module, as people write
them by hand, means the user's object of exactly that name, else Hornbeam's.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hornbeam.core.errors import unknown_name
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.registry import tables
from hornbeam.keras.registry.custom import (
    CustomObjectScope,
    Objects,
    find_custom,
    find_registered_without_package,
)

_HINT = (
    "If it is yours, register it with @keras.saving.register_keras_serializable() or pass "
    "custom_objects={{{name!r}: ...}}."
)


# A type from a file may ask for gigabytes ("V2000000000") or for objects.
_NUMBERS = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bfloat16",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)


class _Local(threading.local):
    def __init__(self) -> None:
        self.depth = 0
        self.unbuilt: list[tuple[Any, Any]] = []  # objects and their build configurations
        self.shared: dict[Any, Any] | None = (
            None  # objects that the file names several times, by number
        )


_local = _Local()


def deserialize_keras_object(
    config: Any, custom_objects: Objects | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Return the object that `serialize_keras_object` described; plain values are returned as they are.

    Names are looked up among Hornbeam's own, the registered ones and `custom_objects`; nothing is imported. Code in a
    configuration is refused whatever `safe_mode` says. Raises ValueError for a name that is not known.
    """
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(each, custom_objects) for each in config)
    if not isinstance(config, dict):
        return config
    if "class_name" in config and "config" in config:
        return object_from_config(config, custom_objects)
    return {key: deserialize_keras_object(value, custom_objects) for key, value in config.items()}


def object_from_config(
    config: dict[str, Any],
    custom_objects: Objects | None = None,
    kind: tables.Table | None = None,
) -> Any:
    """Return the object of a configuration with a `class_name`; `kind` is the table for one without a module."""
    name, inner = config["class_name"], config.get("config", {})
    _check_types(config)
    if name.startswith("__"):
        return _special(name, inner, custom_objects)
    if name == "function":
        return find_function(inner, custom_objects)
    number = config.get("shared_object_id")
    if _local.shared is not None and number in _local.shared:
        return _local.shared[number]
    found = find_class(config, custom_objects, kind)
    if not hasattr(found, "from_config"):
        if inspect.isclass(found) or not callable(found):
            raise TypeError(f"{name!r} can't be made from a configuration: it has no from_config.")
        return found  # a user's function under the name of a class
    if not isinstance(inner, dict):
        raise ValueError(
            f"The configuration of {name!r} should hold arguments by name; received {str(inner)[:100]!r}."
        )
    with CustomObjectScope(custom_objects or {}), building_at_the_end():
        made = found.from_config(inner)
        if build := config.get("build_config"):
            _local.unbuilt.append((made, _with_shapes(build)))
    if compiled := config.get("compile_config"):
        with CustomObjectScope(custom_objects or {}):
            made.compile_from_config(compiled)
    if _local.shared is not None and isinstance(number, int):
        _local.shared[number] = made
    return made


@contextmanager
def sharing_objects() -> Iterator[None]:
    """Make what a file describes several times, as one object, one object again.

    The file is read by itself, though an object that is being read may be what loads it, in its constructor.
    """
    outer = dict(vars(_local))
    _local.depth, _local.unbuilt, _local.shared = 0, [], {}
    try:
        yield
    finally:
        vars(_local).update(outer)


@contextmanager
def building_at_the_end() -> Iterator[None]:
    """Build what is read inside when the outermost such block ends, outer objects before those inside them.

    An outer object builds the layers inside it, whose weights then have its name in their paths.
    """
    _local.depth += 1
    try:
        yield
        if _local.depth == 1:
            for made, build in reversed(_local.unbuilt):
                if not getattr(made, "built", True):
                    made.build_from_config(build)
    finally:
        _local.depth -= 1
        if not _local.depth:
            _local.unbuilt.clear()


def _with_shapes(tree: Any) -> Any:
    """Return `tree` with lists of sizes as tuples; JSON has lists only."""
    if isinstance(tree, dict):
        return {key: _with_shapes(each) for key, each in tree.items()}
    if isinstance(tree, (list, tuple)):
        if all(each is None or isinstance(each, int) for each in tree):
            return tuple(tree)
        return [_with_shapes(each) for each in tree]
    return tree


def _check_types(config: dict[str, Any]) -> None:
    """Raise ValueError where a configuration has something else than a name for a name."""
    for key in ("class_name", "module", "registered_name"):
        value = config.get(key)
        if not isinstance(value, str) and (value is not None or key == "class_name"):
            raise ValueError(f"`{key}` should be a name; received {str(value)[:100]!r}.")


def _special(name: str, inner: Any, custom_objects: Objects | None) -> Any:
    if name in ("__numpy__", "__tensor__") and inner.get("dtype") not in _NUMBERS:
        raise ValueError(
            f"An array in a configuration holds numbers; received the type {str(inner.get('dtype'))[:100]!r}."
        )
    if name == "__numpy__":
        return np.asarray(inner["value"], dtype=inner["dtype"])
    if name == "__tensor__":
        return convert_to_tensor(inner["value"], inner["dtype"])
    if name == "__slice__":
        parts = inner if isinstance(inner, list) else [inner[k] for k in ("start", "stop", "step")]
        return slice(*deserialize_keras_object(parts, custom_objects))
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__bytes__":
        return inner["value"].encode("utf-8")
    if name == "__lambda__":
        raise ValueError(
            "The configuration holds the code of a lambda. Code in configurations is never run: name the function, "
            "register it with @keras.saving.register_keras_serializable() and save again."
        )
    raise ValueError(f"Unknown kind of value in a configuration: {name!r}.")


def find_class(
    config: dict[str, Any],
    custom_objects: Objects | None = None,
    kind: tables.Table | None = None,
) -> Any:
    """Return the class that a configuration names. Raises ValueError, with near names, where it is not known."""
    module, name = config.get("module"), config["class_name"]
    registered = config.get("registered_name")
    if registered and ">" in registered:
        found = find_custom(registered, custom_objects) or find_custom(name, custom_objects)
        if found is None:
            raise unknown_name("class", registered, [], hint=_HINT.format(name=registered))
        return found
    if tables.is_keras_module(module):
        return _own(tables.tables_of(module), name)
    if module is not None or registered:
        found = find_custom(registered, custom_objects) or find_custom(name, custom_objects)
        if found is None:
            raise unknown_name("class", name, [], hint=_HINT.format(name=name))
        return found
    found = find_custom(name, custom_objects)
    if found is None:
        found = _own([kind] if kind is not None else list(tables.tables()), name, custom_objects)
    return found


def _own(candidates: list[tables.Table], name: str, custom_objects: Objects | None = None) -> Any:
    for table in candidates:
        if (found := table.own(name)) is not None:
            return found
    found = find_registered_without_package(name) if custom_objects is not None else None
    if found is not None:
        return found
    kind = candidates[0].kind if len(candidates) == 1 else "class or function"
    known = candidates[0].names() if len(candidates) == 1 else []
    raise unknown_name(kind, name, known, hint="" if known else _HINT.format(name=name))


def find_function(name: str, custom_objects: Objects | None = None) -> Any:
    """Return a function by name: the user's of that name or of its part behind `package>`, Hornbeam's, one of any package."""
    found = find_custom(name, custom_objects)
    if found is None and ">" in name:
        found = find_custom(name.rpartition(">")[2], custom_objects)
    if found is not None:
        return found
    for table in tables.tables():
        # "mean_squared_error" is a function among the losses and the name of a class among the metrics.
        found = table.own(name)
        if found is not None and not inspect.isclass(found):
            return found
    found = find_registered_without_package(name)
    if found is None:
        raise unknown_name("function", name, [], hint=_HINT.format(name=name))
    return found
