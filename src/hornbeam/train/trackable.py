"""What objects say of themselves to checkpoints: which variables and other objects they hold, and under which names.

A checkpoint is a graph of objects whose edges have names. `parts_of` answers for an object; `parts_of.register(cls)` makes
a class known. Variables are the leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import TypeAlias

from hornbeam.core.dtypes import DType
from hornbeam.core.variable import Variable

Names: TypeAlias = "Collection[str] | None"


@dataclass(frozen=True)
class Parts:
    """The objects that an object holds, by name."""

    named: Mapping[str, object] = field(default_factory=dict[str, object])
    """By the names that tensors in files are called after."""
    others: Mapping[str, object] = field(default_factory=dict[str, object])
    """By names under which other programs look for the same objects."""

    def all(self) -> dict[str, object]:
        """Return all of them, the chief names first."""
        return {**self.named, **{k: v for k, v in self.others.items() if k not in self.named}}


@dataclass(frozen=True)
class Group:
    """An object that exists in files only: a name for several others."""

    parts: Parts


@dataclass(frozen=True)
class Typed:
    """A variable that stands in files with another type than it has in memory."""

    variable: Variable
    dtype: DType


class _Ignored:
    """What a file may hold although nothing here takes its value."""


IGNORED = _Ignored()


@singledispatch
def parts_of(obj: object, names: Names = None) -> Parts | None:
    """Return what an object holds, or None for one that checkpoints do not know.

    `names` are those that a file has for it; None in writing.
    """
    del obj, names
    return None


@parts_of.register(Group)
def _(obj: Group, names: Names = None) -> Parts:
    del names
    return obj.parts


@parts_of.register(list)
@parts_of.register(tuple)
def _(obj: Collection[object], names: Names = None) -> Parts:
    del names
    return Parts({str(i): each for i, each in enumerate(obj) if is_trackable(each)})


@parts_of.register(dict)
def _(obj: dict[object, object], names: Names = None) -> Parts:
    del names
    found: dict[str, object] = {}
    for key, value in obj.items():
        if not is_trackable(value):
            continue
        if not isinstance(key, str):
            raise ValueError(
                f"Checkpoints name the values of a dict by its keys, which must be texts; received {key!r}. Use {str(key)!r}."
            )
        found[key] = value
    return Parts(found)


@singledispatch
def slot_of(obj: object, name: str, variable: Variable) -> Variable | None:
    """Return the variable `name`, such as "m", that an optimizer has for `variable`; None if it has none, or not yet."""
    del obj, name, variable
    return None


def is_leaf(obj: object) -> bool:
    """Return whether an object is a variable."""
    return isinstance(obj, (Variable, Typed))


def is_container(obj: object) -> bool:
    """Return whether an object is a list, tuple, dict or group, which tell nobody when they change."""
    return isinstance(obj, (list, tuple, dict, Group))


def is_trackable(obj: object) -> bool:
    """Return whether checkpoints know an object; a list or dict is known if anything in it is, or if it is empty."""
    if is_leaf(obj) or isinstance(obj, Group):
        return True
    if isinstance(obj, (list, tuple, dict)):
        values = obj.values() if isinstance(obj, dict) else obj
        return not obj or any(map(is_trackable, values))
    return parts_of.dispatch(type(obj)) is not parts_of.dispatch(object)


def variable_of(leaf: object) -> Variable:
    """Return the variable of a leaf."""
    if isinstance(leaf, Typed):
        return leaf.variable
    assert isinstance(leaf, Variable)
    return leaf


def stored_type(leaf: object) -> DType:
    """Return the type in which a leaf stands in files."""
    return leaf.dtype if isinstance(leaf, Typed) else variable_of(leaf).stored_dtype
