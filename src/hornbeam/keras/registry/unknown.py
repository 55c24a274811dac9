"""Whatever a configuration names and nobody knows, told in one error with the lines to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hornbeam.core.errors import did_you_mean
from hornbeam.keras.registry import tables
from hornbeam.keras.registry.custom import CustomObjectScope, Objects, find_custom
from hornbeam.keras.registry.reading import find_class, find_function

Config = dict[str, Any]

_MAX_OBJECTS = 50_000


def check_known(config: Any, file: str, custom_objects: Objects | None = None) -> None:
    """Raise ValueError, which lists all of them, where a configuration names classes or functions that are not known.

    Also where it describes more objects than any model has.
    """
    yours: dict[str, str] = {}
    lines: list[str] = []
    with CustomObjectScope(custom_objects or {}):
        for count, (entry, owner) in enumerate(_entries(config)):
            if count >= _MAX_OBJECTS:
                raise ValueError(f"{file} describes more than {_MAX_OBJECTS} objects.")
            name, line = _missing(entry, owner)
            if name is not None:
                yours.setdefault(name, line)
            elif line:
                lines.append(line)
    if not yours and not lines:
        return
    listed = "\n  ".join([*yours.values(), *dict.fromkeys(lines)])
    given = ", ".join(f"{name!r}: {_variable(name)}" for name in yours)
    hint = (
        f"\nPass them: load_model({file!r}, custom_objects={{{given}}}), or put "
        "@keras.saving.register_keras_serializable() above each before the model is saved."
        if yours
        else ""
    )
    raise ValueError(f"{file} needs what is not known here:\n  {listed}{hint}")


def _entries(config: Any) -> Iterator[tuple[Config, Config]]:
    """Yield the descriptions of objects inside a configuration, each with the object around it."""
    left: list[tuple[Any, Config]] = [(config, {})]
    while left:
        value, owner = left.pop()
        if isinstance(value, dict):
            if "class_name" in value and ("registered_name" in value or _is_code(value)):
                yield value, owner
                owner = value
            left += [(each, owner) for each in reversed(list(value.values()))]
        elif isinstance(value, (list, tuple)):
            left += [(each, owner) for each in reversed(value)]


def _is_code(entry: Config) -> bool:
    return entry["class_name"] == "__lambda__"


def unnamed(entry: Config) -> str:
    """Return why the function that an entry stands for is not in the file, to follow its name in a sentence."""
    if entry.get("config"):
        return "was saved as byte code; code in files is never run"
    return "has no name by which a file could keep it"


def _missing(entry: Config, owner: Config) -> tuple[str | None, str]:
    """Return the name under which the user can give what is missing, and a line that says what it is."""
    name = entry["class_name"]
    if _is_code(entry):
        inside = owner.get("config")
        place = inside.get("name") if isinstance(inside, dict) else None
        if find_custom(place) is not None:
            return None, ""
        kind = f"the {owner.get('class_name', 'object')} {place!r}"
        return (
            place,
            f"the function of {kind}, which {unnamed(entry)}",
        )
    if not isinstance(name, str) or name.startswith("__") or _is_operation(entry):
        return None, ""
    if name == "function":
        named = entry.get("config")
        known = isinstance(named, str) and _is_known(lambda: find_function(named))
        return (None, "") if known else (str(named), f"the function {named!r}")
    if _is_known(lambda: find_class(entry)):
        return None, ""
    module, registered = entry.get("module"), entry.get("registered_name")
    if tables.is_keras_module(module):
        found = [each for table in tables.tables_of(module) for each in table.names()]
        return None, f"{module}.{name}, which Hornbeam does not have.{did_you_mean(name, found)}"
    where = f" of {module}" if module else ""
    return str(
        registered if registered and ">" in registered else name
    ), f"the class {name!r}{where}"


def _is_operation(entry: Config) -> bool:
    """Return whether a call of an op in a graph is described; those are looked up when the graph is made."""
    return ".ops" in str(entry.get("module"))


def _is_known(find: Any) -> bool:
    try:
        find()
    except ValueError:
        return False
    return True


def _variable(name: str) -> str:
    """Return how a script is likely to call what has this name."""
    last = name.rpartition(">")[2]
    return last if last.isidentifier() else "function"
