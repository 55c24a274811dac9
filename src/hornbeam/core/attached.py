"""Objects attached to values by identity, for as long as the value lives.

Arrays and tracers take no attributes of their own. Here a function that makes a value leaves word for the one that
takes it next, whatever layers, models or plain functions lie between the two. Whatever makes another value of it,
be it a copy, ends that.
"""

from __future__ import annotations

import weakref
from typing import Any, TypeVar

T = TypeVar("T")


class Attachments:
    """For each value at most one object of each class."""

    def __init__(self) -> None:
        # By the identity of the value; an entry goes when its value does.
        self._entries: dict[int, tuple[weakref.ref[Any], dict[type, Any]]] = {}

    def attach(self, value: Any, *objects: Any) -> None:
        """Keep `objects` while `value` lives. They must not refer to the value itself, or it would live for ever."""
        key = id(value)
        entry = self._entries.get(key)
        if entry is None or entry[0]() is not value:
            entry = weakref.ref(value, lambda _: self._entries.pop(key, None)), {}
            self._entries[key] = entry
        entry[1].update((type(each), each) for each in objects)

    def find(self, value: Any, kind: type[T]) -> T | None:
        """Return the object of class `kind` that is attached to `value`, or None."""
        entry = self._entries.get(id(value))
        return None if entry is None or entry[0]() is not value else entry[1].get(kind)

    def __len__(self) -> int:
        """The number of values that have something attached."""
        return len(self._entries)
