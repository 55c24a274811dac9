"""Objects that can tell the arguments they were made with, and be made from them."""

from __future__ import annotations

import inspect
import itertools
import weakref
from typing import Any, Self

from hornbeam.keras.registry.reading import deserialize_keras_object
from hornbeam.keras.registry.writing import serialize_keras_object


class _ConstructorSignature:
    """Make `inspect.signature` describe the constructor of a class that inherits it.

    Before Python 3.11.4 it described `__new__` instead, whose arguments are `*args, **kwargs`.
    """

    def __get__(self, instance: Any, owner: type) -> inspect.Signature | None:
        if instance is not None:
            raise AttributeError("__signature__")
        if owner.__new__ is not Configurable.__new__ or owner.__init__ is object.__init__:
            return None
        signature = inspect.signature(owner.__init__)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class Configurable:
    """An object that can tell the arguments it was made with, and be made again from them."""

    _init_arguments: tuple[tuple[Any, ...], dict[str, Any]]
    __signature__ = _ConstructorSignature()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self.__dict__["_init_arguments"] = (args, kwargs)
        return self

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as values that JSON can hold.

        A user's class that overrides this method adds its own arguments; the others are those of Hornbeam's class below it.
        """
        return {
            name: serialize_keras_object(value)
            for name, value in constructor_arguments(self).items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return an object made from what `get_config` returned."""
        try:
            return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})
        except TypeError as error:
            raise TypeError(
                f"{cls.__name__} can't be made from the config {config}: {error}"
            ) from error


def constructor_arguments(obj: Any) -> dict[str, Any]:
    """Return the arguments of an object's constructor with their present values.

    An argument's value is the attribute of the same name; where there is none, what the constructor was given.
    """
    parameters = signature_parameters(described_class(type(obj)))
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


def described_class(cls: type) -> type:
    """Return the class whose arguments `super().get_config()` returns in a user's class that overrides `get_config`.

    That is Hornbeam's class below it, as in Keras: users write `dict(mine=self.mine, **super().get_config())`, which fails
    where a name comes twice. A class that does not override it describes itself.
    """
    users = list(itertools.takewhile(lambda each: not _is_of_library(each), cls.__mro__))
    if not any("get_config" in vars(each) for each in users):
        return cls
    return cls.__mro__[len(users)]


def _is_of_library(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


# The constructor of each class, and its parameters: an optimizer asks for them at each step.
_parameters: weakref.WeakKeyDictionary[type, tuple[Any, dict[str, inspect.Parameter]]] = (
    weakref.WeakKeyDictionary()
)


def signature_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return the named parameters of a class's constructor, those that `**kwargs` hands on to its bases included."""
    init: Any = vars(cls).get("__init__")
    kept = _parameters.get(cls)
    if kept is None or kept[0] is not init:
        kept = _parameters[cls] = init, _find_parameters(cls)
    return dict(kept[1])


def _find_parameters(cls: type) -> dict[str, inspect.Parameter]:
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
