"""The table of one kind of object, with the functions `get`, `serialize` and `deserialize` of its module."""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam.core.errors import unknown_name
from hornbeam.keras.registry.configurable import Configurable
from hornbeam.keras.registry.custom import (
    Objects,
    find_custom,
    find_registered_without_package,
)
from hornbeam.keras.registry.reading import object_from_config
from hornbeam.keras.registry.tables import Table, register
from hornbeam.keras.registry.writing import serialize_keras_object


class Registry(Table):
    """The known classes and functions of one kind, e.g. all losses."""

    def __init__(self, kind: str, module: str) -> None:
        """`kind` is used in messages; `module` is the public module that configurations name, e.g. "keras.losses"."""
        super().__init__(kind, module)
        register(self)

    def find(self, name: str, custom_objects: Objects | None = None) -> Any:
        """Return the class or function of that name: the user's, else Hornbeam's.

        Raises ValueError, with near names, where there is none.
        """
        found = find_custom(name, custom_objects)
        if found is None:
            found = self.own(name)
        if found is None:
            found = find_registered_without_package(name)
        if found is None:
            raise unknown_name(self.kind, name, self.names())
        return found

    def get(self, identifier: Any) -> Any:
        """Return what a name, a configuration, a class, a function or an object stands for; None for None."""
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
        """Return the name of a known function, or the configuration of an object."""
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: Objects | None = None) -> Any:
        """Return the object that `serialize` described."""
        if isinstance(config, str):
            found = self.find(config, custom_objects)
            return found() if inspect.isclass(found) else found
        if isinstance(config, dict) and "class_name" in config:
            return object_from_config(config, custom_objects, kind=self)
        raise ValueError(f"Could not interpret {config!r} as the configuration of a {self.kind}.")
