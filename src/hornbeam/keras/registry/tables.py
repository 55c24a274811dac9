"""The names of Hornbeam's own classes and functions: one table for each kind, found by kind or by module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard, TypeVar

from hornbeam.core.names import snake_case

T = TypeVar("T")


class Table:
    """The accepted names of one kind of object, e.g. of all losses, and the name that is written for each."""

    def __init__(self, kind: str, module: str) -> None:
        """`kind` is used in messages; `module` is the public module that configurations name, e.g. "keras.losses"."""
        self.kind = kind
        self.module = module
        self._objects: dict[str, Any] = {}  # every accepted name -> class or function
        self._written: dict[Any, tuple[str, str]] = {}  # class or function -> module, name

    def add(
        self, obj: T, *aliases: str, written: str | None = None, module: str | None = None
    ) -> T:
        """Make a class or function known by its name, the name in snake_case, and `aliases`.

        Configurations name it by `written` and `module`, which are its own name and the table's module by default.
        """
        name = written or obj.__name__  # type: ignore[attr-defined]
        self._written.setdefault(obj, (module or self.module, name))
        own: str = obj.__name__  # type: ignore[attr-defined]
        for each in (own, snake_case(own), name, *aliases):
            self._objects[each] = obj
        return obj

    def names(self) -> list[str]:
        """Return every accepted name."""
        return sorted(self._objects)

    def own(self, name: str) -> Any:
        """Return Hornbeam's object of that name, or None."""
        return self._objects.get(name, self._objects.get(name.lower()))

    def written(self, obj: Any) -> tuple[str, str] | None:
        """Return the module and name that configurations have for `obj`, or None if it is not in the table."""
        return self._written.get(obj)


_tables: dict[str, Table] = {}

# Where Keras keeps classes privately, and the public module whose table holds them: Functional models name
# `keras.src.models.functional`, and older versions of Keras wrote other private modules.
_PRIVATE = {
    "models": "keras",
    "engine": "keras",
    "dtype_policies": "keras",
    "mixed_precision": "keras",
}


def register(table: Table) -> None:
    """Make a table known by its kind."""
    if table.kind in _tables:
        raise ValueError(f"There are two tables of the kind {table.kind!r}.")
    _tables[table.kind] = table


def tables() -> Iterator[Table]:
    """Yield every table."""
    yield from _tables.values()


def is_keras_module(module: object) -> TypeGuard[str]:
    """Return whether a configuration's module means Hornbeam's own objects."""
    return isinstance(module, str) and (module == "keras" or module.startswith("keras."))


def tables_of(module: str) -> list[Table]:
    """Return the tables that a configuration's module may mean, the likeliest first.

    `keras.layers`, `keras.src.layers.core.dense` and `keras.layers.core` all mean the layers.
    """
    public = _public(module)
    found = [table for table in _tables.values() if table.module == public]
    return found or list(_tables.values())


def _public(module: str) -> str:
    parts = [part for part in module.split(".") if part not in ("src", "_tf_keras", "api")]
    if "schedules" in parts:
        return "keras.optimizers.schedules"
    if len(parts) < 2:
        return "keras"
    return _PRIVATE.get(parts[1], f"keras.{parts[1]}")


def written(obj: Any) -> tuple[str, str] | None:
    """Return the module and name that configurations have for one of Hornbeam's own objects, or None."""
    try:
        found = (table.written(obj) for table in _tables.values())
        return next((names for names in found if names is not None), None)
    except TypeError:  # not hashable, so not in a table
        return None
