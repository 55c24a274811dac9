"""Objects attached to values by identity, for as long as the value lives.

Arrays and tracers take no attributes of their own. Here the function that makes a value leaves a note for the function
that takes it next, whatever layers, models or plain functions lie between the two. A note ends where another value is
made of the first one, even by a copy.
"""

from __future__ import annotations

import weakref
from typing import TypeVar

from jax import lax
from jax.core import Tracer

T = TypeVar("T")


class Attachments:
    """For each value at most one object of each class."""

    def __init__(self) -> None:
        # By the identity of the value; an entry goes when its value does.
        self._entries: dict[int, tuple[weakref.ref[object], dict[type, object]]] = {}

    def attach(self, value: object, *objects: object) -> None:
        """Keep `objects` while `value` lives. They must not refer to the value itself, or it would live for ever."""
        key = id(value)
        entry = self._entries.get(key)
        if entry is None or entry[0]() is not value:
            parts: dict[type, object] = {}
            entry = weakref.ref(value, lambda _: self._entries.pop(key, None)), parts
            self._entries[key] = entry
        entry[1].update((type(each), each) for each in objects)

    def find(self, value: object, kind: type[T]) -> T | None:
        """Return the object of class `kind` that is attached to `value`, or None."""
        entry = self._entries.get(id(value))
        found = None if entry is None or entry[0]() is not value else entry[1].get(kind)
        return found if isinstance(found, kind) else None

    def __len__(self) -> int:
        """Return the number of values that have something attached."""
        return len(self._entries)


def is_compiling(value: object) -> bool:
    """Return whether `value` stands for one that a compiled program will compute: unused values then cost nothing.

    A tracer alone does not say so: gradients of plain Python code have tracers too. What is made of constants is a
    tracer only inside `jax.jit` and its kin.
    """
    return isinstance(value, Tracer) and isinstance(lax.full((), 0.0), Tracer)
