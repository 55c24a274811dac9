"""Which names of a configuration are Hornbeam's own, and which are the user's."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

from hornbeam.keras.registry import find_custom, signature_parameters, tables

Config: TypeAlias = dict[str, Any]
"""Part of a configuration."""

# Wrappers that TensorFlow's JSON puts around what JSON lacks.
_LISTS = ("__tuple__", "TensorShape", "ListWrapper")
_NOTES = ("shared_object_id", "__passive_serialization__")


def safe_name(name: str) -> str:
    """Return the name of a layer as it may be today: Keras 2 allowed slashes."""
    return name.replace("/", "_")


def plain(value: Any) -> Any:
    """Return a value without wrappers around tuples and shapes, and without notes on shared objects.

    >>> from hornbeam.keras.saving.keras2.names import plain
    >>> plain({"strides": {"class_name": "__tuple__", "items": [2, 2]}, "shared_object_id": 7})
    {'strides': [2, 2]}
    """
    if isinstance(value, dict):
        kind = value.get("class_name")
        if kind in _LISTS and "items" in value:
            return [plain(each) for each in value["items"]]
        if kind == "__ellipsis__":
            return {"class_name": "__ellipsis__", "config": {}}
        return {key: plain(each) for key, each in value.items() if key not in _NOTES}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def own_class(module: str, name: str) -> Any:
    """Return Hornbeam's class of that name in a public module, e.g. "keras.layers", or None."""
    for table in tables.tables_of(module):
        found = table.own(name)
        if found is not None and inspect.isclass(found):
            return found
    return None


def is_users(config: Config) -> bool:
    """Return whether a configuration means a class of the user's."""
    module, name = config.get("module"), str(config["class_name"])
    if module is not None:
        return not tables.is_keras_module(module)
    registered = config.get("registered_name") or name
    return find_custom(registered) is not None or find_custom(name) is not None


def named(module: str, config: Config) -> Config:
    """Return a configuration with the module that its class has today.

    A name like `Custom>Adam` is that of a registered class: the user's, or one that Keras registered itself.
    """
    name = str(config["class_name"])
    short = name.rpartition(">")[2]
    if is_users(config) or own_class(module, short) is None:
        return {"module": None, "registered_name": name, **config, "class_name": short}
    if tables.is_keras_module(config.get("module")):
        return {**config, "class_name": short}
    return {**config, "module": module, "class_name": short, "registered_name": None}


def without_unknown(module: str, config: Config, obsolete: Config, what: str) -> Config:
    """Return a configuration without arguments that today's class does not take and that change nothing.

    `obsolete` has the value at which each of them is of no consequence, `...` for any. Raises ValueError, naming `what`,
    where one has another value.
    """
    cls = own_class(module, config["class_name"])
    if cls is None:
        return config
    known = signature_parameters(cls)
    kept: Config = {}
    for key, value in config["config"].items():
        if key in known or key not in obsolete:
            kept[key] = value
        elif obsolete[key] is not ... and value != obsolete[key]:
            raise ValueError(
                f"{what} was made with {key}={value!r}, an argument of Keras 2 that {cls.__name__} no longer has; only "
                f"{key}={obsolete[key]!r} can be loaded."
            )
    return {**config, "config": kept}


def function_config(name: str) -> Config:
    """Return the configuration of a function that is known by its name."""
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }
