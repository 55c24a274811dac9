"""Attributes of a user's object that change while a training runs, so that they can be stored with it."""

from __future__ import annotations

import copy
import hashlib
import random
from typing import Any

import numpy as np

from hornbeam.core.variable import Variable

_DEPTH = 50
_PLAIN = (type(None), bool, int, float, str, bytes, np.generic)


class Remembered:
    """What has changed among an object's attributes of plain data since this was made.

    Plain data are None, numbers, text, bytes, NumPy arrays, and lists, tuples, sets and dicts of these. The state of
    NumPy's and Python's random generators and the values of `Variable`s count as well.

    >>> class Counter:
    ...     def __init__(self):
    ...         self.step, self.seen, self.file = 2, 0, open
    >>> counter = Counter()
    >>> remembered = Remembered(counter)
    >>> counter.seen += 1
    >>> remembered.changes()
    {'seen': 1}
    """

    def __init__(self, obj: object) -> None:
        """Note the values that `obj` has now."""
        self._object = obj
        self._first = self._digests()

    def changes(self) -> dict[str, Any]:
        """Return copies of the attributes that differ from what they were."""
        now = self._digests()
        changed = [name for name, digest in now.items() if self._first.get(name) != digest]
        return {name: copy.deepcopy(_plain(vars(self._object)[name])) for name in changed}

    def _digests(self) -> dict[str, str]:
        attributes = {k: _plain(v) for k, v in getattr(self._object, "__dict__", {}).items()}
        return {name: _digest(value) for name, value in attributes.items() if _is_plain(value)}


def has_state(obj: object) -> bool:
    """Return whether an object says by `get_state()` and `set_state(state)` where it stands."""
    return hasattr(type(obj), "get_state") and hasattr(type(obj), "set_state")


class ObjectState:
    """The state of a user's object: what its own `get_state` returns, or else what changes among its attributes."""

    def __init__(self, obj: Any) -> None:
        """Note the values of the attributes, where these are what counts."""
        self._object = obj
        self._remembered = None if has_state(obj) else Remembered(obj)

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


def set_attributes(obj: object, attributes: dict[str, Any]) -> None:
    """Set what `Remembered.changes` returned."""
    for name, value in attributes.items():
        present = getattr(obj, name, None)
        if isinstance(present, Variable):
            present.assign(value)
        elif isinstance(present, np.random.Generator):
            present.bit_generator.state = value
        elif isinstance(present, np.random.RandomState):
            present.set_state(value)
        elif isinstance(present, random.Random):
            present.setstate(value)
        else:
            setattr(obj, name, copy.deepcopy(value))


def _plain(value: Any) -> Any:
    """Return the state of a random generator, the value of a variable, any other value as it is."""
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=False)
    return value.getstate() if isinstance(value, random.Random) else value


def _is_plain(value: object, depth: int = 0) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype != object
    inner: list[object] = []
    if isinstance(value, dict):
        inner = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    else:
        return isinstance(value, _PLAIN)
    # A list that holds itself has no end.
    return depth < _DEPTH and all(_is_plain(each, depth + 1) for each in inner)


def _digest(value: Any) -> str:
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype} {value.shape} {content}"
    if isinstance(value, dict):
        return f"dict {[(_digest(key), _digest(each)) for key, each in value.items()]}"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__} {sorted(map(_digest, value))}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__} {[_digest(each) for each in value]}"
    return f"{type(value).__name__} {value!r}"
