"""A bounded mapping for what is made once and asked for often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A bounded mapping that forgets what was not asked for lately.

    It has a newer and an older half. What is found in the older one moves to the newer; when that is full, it becomes the
    older one. So a look-up that finds its value costs one look into a dict, without a lock.
    """

    def __init__(self, most: int) -> None:
        """`most` entries fit into each half."""
        self._most = most
        self._newer: dict[Any, T] = {}
        self._older: dict[Any, T] = {}

    def get(self, key: object) -> T | None:
        """Return the value of `key`, or None."""
        found = self._newer.get(key)
        if found is None:
            found = self._older.get(key)
            if found is not None:
                self.set(key, found)
        return found

    def set(self, key: object, value: T) -> None:
        """Keep `value`."""
        if len(self._newer) >= self._most:
            self._older, self._newer = self._newer, {}
        self._newer[key] = value

    def drop(self, is_gone: Callable[[Any, T], bool]) -> list[T]:
        """Forget the entries that `is_gone` says yes to, and return their values."""
        found: list[T] = []
        for half in (self._newer, self._older):
            for key, value in list(half.items()):
                if is_gone(key, value):
                    half.pop(key, None)
                    found.append(value)
        return found

    def clear(self) -> None:
        """Forget all."""
        self._newer, self._older = {}, {}

    def __len__(self) -> int:
        """Return the number of entries, those that stand in both halves counted twice."""
        return len(self._newer) + len(self._older)
