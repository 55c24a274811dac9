"""Names and configurations: how "adam", `{"class_name": "Adam", ...}` and `Adam()` come to mean the same.

An object's configuration is read off the signature of its constructor, so classes write none by hand. Loading finds
classes in tables of names; it never imports or executes anything that a file names.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.errors import unknown_name
from hornbeam.core.names import snake_case
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor

T = TypeVar("T")

_registries: dict[str, Registry] = {}
_registered: dict[
    str, Any
] = {}  # "package>name" -> class or function, by `register_keras_serializable`
_scoped: list[dict[str, Any]] = []  # open `CustomObjectScope`s


class Configurable:
    """An object that can tell the arguments it was made with, and be made again from them."""

    _init_arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self.__dict__["_init_arguments"] = (args, kwargs)
        return self

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as values that JSON can hold."""
        return {
            name: serialize_keras_object(value)
            for name, value in constructor_arguments(self).items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An object from what `get_config` gave."""
        try:
            return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})
        except TypeError as error:
            raise TypeError(
                f"{cls.__name__} can't be made from the config {config}: {error}"
            ) from error


def constructor_arguments(obj: Any) -> dict[str, Any]:
    """The arguments of an object's constructor with their present values.

    An argument's value is the attribute of the same name; where there is none, what the constructor was given.
    """
    parameters = signature_parameters(type(obj))
    given: dict[str, Any] | None = None
    arguments = {}
    for name, parameter in parameters.items():
        if name in vars(obj) or isinstance(getattr(type(obj), name, None), property):
            arguments[name] = getattr(obj, name)
            continue
        if given is None:
            given = _given_arguments(obj)
        if name not in given and parameter.default is inspect.Parameter.empty:
            raise NotImplementedError(
                f"{type(obj).__name__} does not say the value of its constructor argument {name!r}. Store it as "
                f"`self.{name}` in __init__, or override get_config()."
            )
        arguments[name] = given.get(name, parameter.default)
    return arguments


def signature_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The named parameters of a class's constructor, those that `**kwargs` hands on to its bases included."""
    found: dict[str, inspect.Parameter] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _given_arguments(obj: Any) -> dict[str, Any]:
    args, kwargs = obj._init_arguments
    bound = inspect.signature(type(obj).__init__).bind_partial(obj, *args, **kwargs).arguments
    given: dict[str, Any] = {}
    for name, value in bound.items():
        given.update(value if isinstance(value, dict) and name == "kwargs" else {name: value})
    return given


class Registry:
    """The known classes and functions of one kind, e.g. all losses."""

    def __init__(self, kind: str, module: str) -> None:
        """`kind` is used in messages; `module` is the public module that configurations name, e.g. "keras.losses"."""
        self.kind = kind
        self.module = module
        self._objects: dict[str, Any] = {}  # every accepted name -> class or function
        self._names: dict[Any, str] = {}  # class or function -> the name that is written
        _registries[module] = self

    def add(self, obj: T, *aliases: str, written: str | None = None) -> T:
        """Make a class or function known by its name, the name in snake_case, and `aliases`.

        Configurations name it by `written`, which is its own name unless it is given.
        """
        name = obj.__name__  # type: ignore[attr-defined]
        self._names.setdefault(obj, written or name)
        for each in (name, snake_case(name), *aliases):
            self._objects[each] = obj
        return obj

    def names(self) -> list[str]:
        """Every accepted name."""
        return sorted(self._objects)

    def find(self, name: str, custom_objects: dict[str, Any] | None = None) -> Any:
        """The class or function of that name. Raises ValueError with near names where there is none."""
        found = find_custom(name, custom_objects)
        if found is None:
            found = self._objects.get(name, self._objects.get(name.lower()))
        if found is None:
            raise unknown_name(self.kind, name, self._objects)
        return found

    def get(self, identifier: Any) -> Any:
        """The object that a name, a configuration, a class, a function or an object stands for; None for None."""
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        found = self.find(identifier) if isinstance(identifier, str) else identifier
        if inspect.isclass(found):
            return found()
        if not callable(found) and not isinstance(found, Configurable):
            raise ValueError(
                f"Could not interpret {identifier!r} as a {self.kind}: expected a name, a configuration, a function "
                f"or an object."
            )
        return found

    def serialize(self, obj: Any) -> Any:
        """The name of a known function, or the configuration of an object."""
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The object that `serialize` described."""
        if isinstance(config, str):
            found = self.find(config, custom_objects)
            return found() if inspect.isclass(found) else found
        if isinstance(config, dict) and "class_name" in config:
            return _from_dict({"module": self.module, **config}, custom_objects, fallback=self)
        raise ValueError(f"Could not interpret {config!r} as the configuration of a {self.kind}.")


def serialize_keras_object(obj: Any) -> Any:
    """`obj` as values that JSON can hold, in the format of Keras 3.

    Raises ValueError for a lambda, or any function that has no registered name: code is not written to files.

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
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype):
        return as_dtype(obj).name
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, TensorShape):
        return tuple(obj)
    if isinstance(obj, (list, tuple)):
        values = [serialize_keras_object(each) for each in obj]
        return tuple(values) if isinstance(obj, tuple) else values
    if isinstance(obj, (np.ndarray, Tensor)):
        tag = "__numpy__" if isinstance(obj, np.ndarray) else "__tensor__"
        value = np.asarray(obj)
        return {"class_name": tag, "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        module, name, registered = _names_of(type(obj))
        config = serialize_keras_object(obj.get_config())
        return {
            "module": module,
            "class_name": name,
            "config": config,
            "registered_name": registered,
        }
    if callable(obj):
        return _serialize_function(obj)
    raise ValueError(f"Can't describe {obj!r} (a {type(obj).__name__}) as a configuration.")


def _serialize_function(fn: Any) -> Any:
    for registry in _registries.values():
        if fn in registry._names:
            return registry._names[fn]
    name = getattr(fn, "__name__", "")
    if not name or name == "<lambda>":
        raise ValueError(
            f"{fn!r} has no name to be found by when the configuration is loaded. Use a function or class with a name "
            "and register it with @keras.saving.register_keras_serializable()."
        )
    registered = get_registered_name(fn)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": registered,
    }


def _names_of(cls: type) -> tuple[str | None, str, str | None]:
    for registry in _registries.values():
        if cls in registry._names:
            return registry.module, registry._names[cls], None
    return None, cls.__name__, get_registered_name(cls)


def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that `serialize_keras_object` described; plain values are given back as they are.

    Classes and functions are looked up by name among Hornbeam's own, the registered ones and `custom_objects`; nothing
    is imported. Raises ValueError for a name that is not known.
    """
    if isinstance(config, (list, tuple)):
        return type(config)(deserialize_keras_object(each, custom_objects) for each in config)
    if not isinstance(config, dict):
        return config
    if "class_name" in config and "config" in config:
        return _from_dict(config, custom_objects)
    return {key: deserialize_keras_object(value, custom_objects) for key, value in config.items()}


def _from_dict(
    config: dict[str, Any], custom_objects: dict[str, Any] | None, fallback: Registry | None = None
) -> Any:
    name, inner = config["class_name"], config.get("config", {})
    if name == "__numpy__":
        return np.asarray(inner["value"], dtype=inner["dtype"])
    if name == "__tensor__":
        return convert_to_tensor(inner["value"], inner["dtype"])
    if name == "function":
        known_as = config.get("registered_name") or inner
        return _find_anywhere(known_as, inner, custom_objects, functions_only=True)
    registry = _registries.get(config.get("module") or "", fallback)
    found = find_custom(config.get("registered_name"), custom_objects) or find_custom(
        name, custom_objects
    )
    if found is None and registry is not None:
        found = registry.find(name)
    if found is None:
        found = _find_anywhere(name, name, custom_objects)
    with CustomObjectScope(custom_objects or {}):
        return found.from_config(inner)


def _find_anywhere(
    name: str, short: str, custom_objects: dict[str, Any] | None, functions_only: bool = False
) -> Any:
    found = find_custom(name, custom_objects) or find_custom(short, custom_objects)
    if found is not None:
        return found
    known: dict[str, Any] = {}
    for registry in _registries.values():
        # "mean_squared_error" is a function among the losses and the name of a class among the metrics.
        known.update(
            (key, value)
            for key, value in registry._objects.items()
            if not (functions_only and inspect.isclass(value))
        )
    if short in known:
        return known[short]
    raise unknown_name(
        "class or function",
        short,
        [],
        hint="If it is yours, register it with @keras.saving.register_keras_serializable() or pass `custom_objects`.",
    )


def find_custom(name: str | None, custom_objects: dict[str, Any] | None = None) -> Any:
    """A user's class or function by name: from `custom_objects`, the open scopes, then the registered ones."""
    if not name:
        return None
    for table in (custom_objects or {}, *reversed(_scoped), _registered):
        if name in table:
            return table[name]
    return next((obj for key, obj in _registered.items() if key.rpartition(">")[2] == name), None)


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Make a class or function known to `from_config` and to loading, as `package>name`.

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
    """The name an object was registered by, or its own name."""
    return next((key for key, value in _registered.items() if value is obj), obj.__name__)


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The class or function registered by `name`; None where there is none."""
    return find_custom(name, custom_objects) or (module_objects or {}).get(name)


def get_custom_objects() -> dict[str, Any]:
    """The table of registered classes and functions; entries may be added."""
    return _registered


@contextmanager
def CustomObjectScope(custom_objects: dict[str, Any]) -> Iterator[None]:
    """Within the scope, `custom_objects` (name -> class or function) are known to `get` and `from_config`."""
    _scoped.append(dict(custom_objects))
    try:
        yield
    finally:
        _scoped.pop()
