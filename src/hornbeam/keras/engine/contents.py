"""The layers, weights and seeds that a model holds, with the lists and dicts that they stand in.

Python's lists say nothing when they are changed, so a compiled program keeps a `Contents` of the time when it was made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeAlias, TypeVar

from hornbeam.core.changes import change_count
from hornbeam.core.rng import SeedGenerator
from hornbeam.core.weight import is_weight
from hornbeam.keras.engine import tracking

T = TypeVar("T")

Container: TypeAlias = "list[Any] | dict[Any, Any] | set[Any] | tuple[Any, ...]"


class Contents:
    """What layers held at one moment.

    >>> from hornbeam import keras
    >>> layer = keras.layers.Layer()
    >>> layer.blocks = [keras.layers.Dense(2), keras.layers.Dense(2)]
    >>> before = Contents([layer])
    >>> layer.blocks.reverse()
    >>> before.is_current(), before.equals(Contents([layer]))
    (False, False)
    """

    def __init__(self, layers: Iterable[object] = ()) -> None:
        """Keep what the attributes of `layers` hold now."""
        self._seen: list[tuple[Container, list[Any]]] = []
        # Each object that has state, in order, and behind the content of a container its length or its keys.
        self._form: list[object] = []
        for layer in layers:
            self._form.append(layer)
            for name, value in tracking.attributes(layer):
                if name != "_variables":  # new ones are noted when they are made
                    self._add(value)

    def is_current(self) -> bool:
        """Return whether no list or dict has changed since; quick, and does not look at attributes."""
        for container, items in self._seen:
            now = container if isinstance(container, list) else _items(container)
            if len(now) != len(items) or not all(map(operator.is_, now, items)):
                return False
        return True

    def equals(self, other: Contents) -> bool:
        """Return whether both hold the same objects, in containers of the same form."""
        return _same(self._form, other._form)

    def _add(self, value: object) -> bool:
        """Note what a value holds, and return whether it has state."""
        if isinstance(value, (list, tuple, dict, set)):
            return self._add_container(value)
        has_state = is_weight(value) or isinstance(value, SeedGenerator) or _is_holder(value)
        if has_state:
            self._form.append(value)
        return has_state

    def _add_container(self, container: Container) -> bool:
        items = _items(container)
        count = sum([self._add(item) for item in items])
        # Numbers, strings and arrays in a list are settings, which are not followed.
        if not isinstance(container, tuple) and (count or not items):
            self._seen.append((container, items))
        if count:
            self._form.append(tuple(container) if isinstance(container, dict) else count)
        return bool(count)


class KeptWalk(Generic[T]):
    """What a walk over a layer finds, kept until something changes: the walk takes half a millisecond for a small model."""

    __slots__ = ("_find", "_kept")

    def __init__(self, find: Callable[[Any], list[T]]) -> None:
        """`find(layer)` walks."""
        self._find = find
        self._kept: tuple[int, Contents, list[T]] | None = None

    def found(self, layer: Any) -> list[T]:
        """Return what `find` returns, in a list of the caller's."""
        kept = self._kept
        if kept is None or kept[0] != change_count() or not kept[1].is_current():
            kept = change_count(), Contents(layer._depth_first()), self._find(layer)
            self._kept = kept
        return list(kept[2])


def _items(container: Container) -> list[Any]:
    return [*container, *container.values()] if isinstance(container, dict) else list(container)


def _is_holder(value: object) -> bool:
    """Return whether `value` is a layer or a metric."""
    return hasattr(type(value), "sublayers") or hasattr(type(value), "update_state")


def _same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(map(_is_same, a, b))


def _is_same(a: object, b: object) -> bool:
    return a is b or (isinstance(a, (int, str, tuple)) and isinstance(b, type(a)) and a == b)
