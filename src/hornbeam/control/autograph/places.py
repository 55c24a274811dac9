"""The variables of a rewritten function, reached through the closures of its branches.

A name that stands for a variable is a text; one that stands for an attribute or an item with a constant key is a tuple:
`self.count` is `("self", ".count")`, `d["k"]` is `("d", ("k",))`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CellType, FunctionType
from typing import Any, TypeAlias, cast

Name: TypeAlias = "str | tuple[Any, ...]"


class _Undefined:
    """Stands for the value of a name that has none."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = _Undefined()


class Places:
    """What a branch or loop may assign: reads, assigns and deletes it."""

    def __init__(self, names: Sequence[Name], *functions: Callable[..., Any] | None) -> None:
        """`functions` are the branches, each of which binds some of the names."""
        self.names = tuple(names)
        made = [cast("FunctionType", each) for each in functions if each is not None]
        self.code = made[0].__code__
        self._globals = made[0].__globals__
        self._cells: dict[str, CellType] = {}
        for each in made:
            self._cells.update(zip(each.__code__.co_freevars, each.__closure__ or (), strict=True))

    @property
    def line(self) -> int:
        """The line of the branch or loop."""
        return self.code.co_firstlineno

    def read(self) -> dict[Name, Any]:
        """Return the values of all names, `UNDEFINED` for those that have none."""
        return {name: self.get(name) for name in self.names}

    def restore(self, values: dict[Name, Any]) -> None:
        """Assign all `values`, and delete the names whose value is `UNDEFINED`."""
        for name, value in values.items():
            self.set(name, value)

    def get(self, name: Name) -> Any:
        """Return the value of one name."""
        if isinstance(name, str):
            if (cell := self._cells.get(name)) is None:
                return self._globals.get(name, UNDEFINED)
            try:
                return cell.cell_contents
            except ValueError:
                return UNDEFINED
        owner = self._owner(name)
        return UNDEFINED if owner is UNDEFINED else _part(owner, name[-1])

    def set(self, name: Name, value: Any) -> None:
        """Assign one name, or delete it."""
        if isinstance(name, str):
            self._set_variable(name, value)
            return
        owner, step = self._owner(name), name[-1]
        if owner is UNDEFINED or _part(owner, step) is value:
            return
        if isinstance(step, str):
            if value is UNDEFINED:
                delattr(owner, step[1:])
            else:
                setattr(owner, step[1:], value)
        elif value is UNDEFINED:
            del owner[step[0]]
        else:
            owner[step[0]] = value

    def _set_variable(self, name: str, value: Any) -> None:
        cell = self._cells.get(name)
        if cell is None and value is UNDEFINED:
            self._globals.pop(name, None)
        elif cell is None:
            self._globals[name] = value
        elif value is not UNDEFINED:
            cell.cell_contents = value
        elif self.get(name) is not UNDEFINED:
            del cell.cell_contents

    def _owner(self, name: tuple[Any, ...]) -> Any:
        """Return the object that an attribute or item is of; UNDEFINED where it can't be set, or only by user code."""
        value = self.get(name[0])
        for step in name[1:-1]:
            value = UNDEFINED if value is UNDEFINED else _part(value, step)
        step = name[-1]
        if isinstance(step, str):
            return UNDEFINED if hasattr(getattr(type(value), step[1:], None), "__set__") else value
        return value if type(value) in (dict, list) else UNDEFINED


class Contents:
    """What is in the lists, dicts and sets that names hold, at one moment."""

    def __init__(self, places: Places, names: Sequence[Name]) -> None:
        values = ((name, places.get(name)) for name in names)
        self._known = [(n, x, _elements(x)) for n, x in values if type(x) in (list, dict, set)]

    def refuse_changes(self, where: str) -> None:
        """Raise TypeError where something in them has changed."""
        for name, value, before in self._known:
            if _elements(value) != before:
                raise TypeError(
                    f"{text_of(name)!r} is a {type(value).__name__} that {where} changes in place (append, pop, update, ...). That happens "
                    "once, while the program is made, whatever the values say. Assign a new one to the name, such as [*items, x]; collect "
                    "the values of turns in a tf.TensorArray."
                )


def _elements(value: Any) -> Any:
    """Return the identities of what is in a list, dict or set."""
    if type(value) is dict:
        return {key: id(each) for key, each in value.items()}
    return list(map(id, value)) if type(value) is list else set(value)


def _part(owner: Any, step: Any) -> Any:
    try:
        return getattr(owner, step[1:]) if isinstance(step, str) else owner[step[0]]
    except (AttributeError, LookupError, TypeError):
        return UNDEFINED


def text_of(name: Name) -> str:
    """Return a name as a user writes it."""
    if isinstance(name, str):
        return name
    return name[0] + "".join(
        step if isinstance(step, str) else f"[{step[0]!r}]" for step in name[1:]
    )
