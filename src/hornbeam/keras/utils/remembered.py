"""Attributes of a user's object that change while a training runs, so that they can be stored with it."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np

from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.keras.utils.object_data import Data, Storing, digest, has_state, put, unstorable

__all__ = ["ObjectState", "Remembered", "has_state", "set_attributes"]

_SHARED = (list, dict, set, deque, np.ndarray, Variable)


class Remembered:
    """What has changed among an object's attributes since this was made.

    What counts are None, numbers, text, bytes, arrays and tensors; the state of NumPy's and Python's random generators;
    the values of `Variable`s, layers, metrics and optimizers; what `get_state()` of an object returns; the attributes of
    objects whose classes are from the same package as that of the first one; and lists, tuples, sets, deques and dicts of
    all these. Other objects are told of, once, if they change.

    >>> class Counter:
    ...     def __init__(self):
    ...         self.step, self.seen, self.file = 2, 0, open
    >>> counter = Counter()
    >>> remembered = Remembered(counter)
    >>> counter.seen += 1
    >>> remembered.changes()
    {'seen': 1}
    """

    def __init__(self, obj: object, known: Collection[int] = ()) -> None:
        """Note the values that `obj` has now. `known` has the ids of variables that are stored elsewhere."""
        self._object = obj
        self._known = known
        self._first = {name: digest(data) for name, data in self._data().items()}
        self._told: set[str] = set()

    def changes(self) -> dict[str, Data]:
        """Return copies of the attributes that differ from what they were."""
        found: dict[str, Data] = {}
        for name, data in self._data().items():
            if self._first.get(name) == digest(data):
                continue
            without = unstorable(data)
            if not without:
                found[name] = copy.deepcopy(data)
            self._tell(name, [each.kind for each in without if each.tells])
        return found

    def _data(self) -> dict[str, Data]:
        storing = Storing(self._object, self._known)
        return {name: storing.data(value) for name, value in _attributes(self._object).items()}

    def _tell(self, name: str, kinds: list[str]) -> None:
        if kinds and name not in self._told:
            self._told.add(name)
            cls = type(self._object).__name__
            warn(
                f"The attribute {name!r} of {cls} has changed, and it can't be stored: it holds {', '.join(kinds)}. A training "
                f"that goes on from this checkpoint begins with a new one. Define get_state() and set_state(state) in {cls} "
                "to say what has to be stored.",
            )


def _attributes(obj: object) -> dict[str, Any]:
    """Return the attributes of an object, and those of its class that it may change in place."""
    found: dict[str, Any] = {}
    for cls in reversed(type(obj).__mro__):
        if cls.__module__.partition(".")[0] not in ("hornbeam", "builtins", "abc"):
            shared = {k: v for k, v in vars(cls).items() if isinstance(v, _SHARED)}
            found |= {name: v for name, v in shared.items() if not name.startswith("_")}
    return found | getattr(obj, "__dict__", {})


class ObjectState:
    """The state of a user's object: what its own `get_state` returns, or else what changes among its attributes."""

    def __init__(self, obj: Any, known: Collection[int] = ()) -> None:
        """Note the values of the attributes, where these are what counts; `known` as for `Remembered`."""
        self._object = obj
        self._remembered = None if has_state(obj) else Remembered(obj, known)

    def get(self) -> dict[str, Any]:
        """Return the state as plain data."""
        if self._remembered is None:
            return {"own": self._object.get_state()}
        return {"attributes": self._remembered.changes()}

    def set(self, state: dict[str, Any]) -> None:
        """Set what `get` returned."""
        if "own" in state and self._remembered is None:
            self._object.set_state(state["own"])
        set_attributes(self._object, state.get("attributes", {}))


def set_attributes(obj: object, attributes: dict[str, Data]) -> None:
    """Set what `Remembered.changes` returned; warn of what does not fit the object as it is now."""
    for name, data in attributes.items():
        try:
            value = put(getattr(obj, name, None), data)
        except ValueError as error:
            warn(
                f"The attribute {name!r} of {type(obj).__name__} can't be set to what was stored: {error}. It stays as it is.",
            )
            continue
        setattr(obj, name, value)
