"""The values of a user's attributes as plain data, and back into the objects that hold them."""

from __future__ import annotations

import datetime
import enum
import hashlib
import os
import random
import sys
from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np

from hornbeam.core.rng import SeedGenerator
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable

_DEPTH = 50
_PLAIN = (type(None), bool, int, float, str, bytes, np.generic, Tensor)
_INSIDE = "\0inside"
"""The key of a dict that holds what belongs into an object, which keeps its identity."""

Data = Any
"""None, numbers, text, bytes, arrays, tensors, and lists, tuples, sets, deques and dicts of these."""


class Unstorable:
    """What stands in the data for a value that can't be stored."""

    def __init__(self, value: object, tells: bool) -> None:
        """`tells`: whether the user has to know of it when it changes."""
        self.kind = f"{type(value).__module__}.{type(value).__qualname__}"
        self.tells = tells
        self.text = _text_of(value) if tells else ""


def has_state(obj: object) -> bool:
    """Return whether an object says by `get_state()` and `set_state(state)` where it stands."""
    return hasattr(type(obj), "get_state") and hasattr(type(obj), "set_state")


class Storing:
    """Makes data of values.

    Of an object that has variables, `get_state` or a random generator's state, and of one whose class is from the package
    of the owner's class, the data are what is inside. `known` has the ids of variables that are stored elsewhere.
    """

    def __init__(self, owner: object, known: Collection[int] = ()) -> None:
        """The values are those of the attributes of `owner`."""
        self._package = _package(type(owner))
        self._known = known
        self._open = {id(owner)}  # the ids of the objects and containers around the value

    def data(self, value: Any) -> Data:
        """Return the data of a value, with an `Unstorable` in each place that has none."""
        is_container = isinstance(value, dict | list | tuple | set | frozenset | deque)
        if id(value) in self._open and not is_container:
            return {_INSIDE: {}}  # an object that knows its owner, whose data are those around this
        if id(value) in self._open or len(self._open) > _DEPTH:  # a list that holds itself
            return Unstorable(value, tells=False)
        if isinstance(value, np.ndarray):
            # What lies in a file may be larger than the memory.
            apart = value.dtype == object or isinstance(value, np.memmap)
            return Unstorable(value, tells=False) if apart else value
        if isinstance(value, _PLAIN) and not isinstance(value, enum.Enum):
            return value
        self._open.add(id(value))
        try:
            if isinstance(value, dict):
                return {k: self.data(each) for k, each in value.items()}
            if is_container:
                kind = next(k for k in (list, tuple, set, frozenset, deque) if isinstance(value, k))
                return kind(map(self.data, value))
            inside = self._inside(value)
            return inside if isinstance(inside, Unstorable) else {_INSIDE: inside}
        finally:
            self._open.discard(id(value))

    def _inside(self, value: Any) -> Data:
        if isinstance(value, np.random.Generator):
            return value.bit_generator.state
        if isinstance(value, np.random.RandomState):
            return value.get_state(legacy=False)
        if isinstance(value, random.Random):
            return value.getstate()
        if isinstance(value, enum.Enum):
            return value.name
        variables = _variables(value)
        if variables is not None:
            return [None if id(v) in self._known else v.numpy() for v in variables]
        if callable(value) or isinstance(value, type):
            return Unstorable(value, tells=False)
        if has_state(value):
            return self.data(value.get_state())
        package = _package(type(value))
        names = getattr(type(value), "_state_names", None)
        if names is not None:  # a callback inside of a callback
            return {name: self.data(getattr(value, name)) for name in names}
        if package == self._package and package != "hornbeam" and hasattr(value, "__dict__"):
            return {name: self.data(each) for name, each in vars(value).items()}
        library = package == "hornbeam" or package in sys.stdlib_module_names
        tells = not library or isinstance(value, os.PathLike | datetime.date | datetime.timedelta)
        return Unstorable(value, tells)


def _package(cls: type) -> str:
    return cls.__module__.partition(".")[0]


def _variables(value: object) -> list[Variable] | None:
    """Return the variables of a variable, seed generator, layer, metric or optimizer; None for anything else."""
    if isinstance(value, Variable):
        return [value]
    if isinstance(value, SeedGenerator):
        return [value.state]
    if not any(_package(cls) == "hornbeam" for cls in type(value).__mro__):
        return None
    found = getattr(value, "variables", None)
    return list(found) if isinstance(found, list | tuple) else None


def _text_of(value: object) -> str:
    """Return what differs where another object, or the same one with other numbers, takes its place."""
    if isinstance(value, os.PathLike | datetime.date | datetime.timedelta):
        return repr(value)
    own = getattr(value, "__dict__", {})
    return f"{id(value)} {[(k, v) for k, v in own.items() if isinstance(v, int | float | str)]}"


def unstorable(data: Data) -> list[Unstorable]:
    """Return the places in the data that have none."""
    if isinstance(data, Unstorable):
        return [data]
    if isinstance(data, dict):
        return [found for each in data.values() for found in unstorable(each)]
    if isinstance(data, list | tuple | set | frozenset | deque):
        return [found for each in data for found in unstorable(each)]
    return []


def put(present: Any, data: Data) -> Any:
    """Return the value that data were made of; `present`, which stands in its place, takes them where it can.

    Lists, dicts and arrays stay the same objects, because others may hold them too. Raises ValueError for data that
    belong into an object where there is none.
    """
    if isinstance(data, dict):
        if _INSIDE in data:
            return _put_inside(present, data[_INSIDE])
        # Of a mapping with a type of its own, such as a Counter, only the items are stored.
        target = present if isinstance(present, dict) else {}
        items = {key: put(target.get(key), each) for key, each in data.items()}
        target.clear()
        target.update(items)
        return target
    if isinstance(data, set):
        target = present if isinstance(present, set) else set[Any]()
        target.clear()
        target.update(data)
        return target
    if isinstance(data, list | deque):
        old = list(present) if isinstance(present, list | deque) else []
        items = _put_each(old, data)
        if not isinstance(present, list | deque):
            return type(data)(items)
        present.clear()
        present.extend(items)
        return present
    if isinstance(data, tuple):
        old = list(present) if isinstance(present, tuple) else []
        items = _put_each(old, data)
        named = isinstance(present, tuple) and hasattr(present, "_make")
        return present._make(items) if named else tuple(items)  # type: ignore[union-attr]
    if isinstance(data, np.ndarray):
        return _put_array(present, data)
    return data


def _put_each(old: list[Any], data: Collection[Data]) -> list[Any]:
    return [put(old[i] if i < len(old) else None, each) for i, each in enumerate(data)]


def _put_array(present: Any, data: np.ndarray) -> np.ndarray:
    same = isinstance(present, np.ndarray) and (present.shape, present.dtype) == (
        data.shape,
        data.dtype,
    )
    if not same or not present.flags.writeable:
        return data.copy()
    present[...] = data
    return present


def _put_inside(present: Any, data: Data) -> Any:
    if isinstance(present, np.random.Generator):
        present.bit_generator.state = data
    elif isinstance(present, np.random.RandomState):
        present.set_state(data)
    elif isinstance(present, random.Random):
        present.setstate(data)
    elif isinstance(present, enum.Enum):
        return type(present)[data]
    elif (variables := _variables(present)) is not None:
        if [None if each is None else each.shape for each in data] != [
            None if each is None else tuple(v.shape)
            for v, each in zip(variables, data, strict=False)
        ]:
            raise ValueError("it has other variables now")
        for variable, each in zip(variables, data, strict=True):
            if each is not None:
                variable.assign(each)
    elif has_state(present):
        present.set_state(data)
    elif isinstance(data, dict) and hasattr(present, "__dict__"):
        for name, each in data.items():
            setattr(present, name, put(getattr(present, name, None), each))
    else:
        raise ValueError(f"there is {present!r} in the place of an object")
    return present


def digest(data: Data) -> str:
    """Return a text that differs where data differ."""
    if isinstance(data, Tensor):
        return f"tensor {digest(np.asarray(data))}"
    if isinstance(data, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(data).view("uint8").data).hexdigest()
        return f"{data.dtype} {data.shape} {content}"
    if isinstance(data, dict):
        return f"dict {[(digest(key), digest(each)) for key, each in data.items()]}"
    if isinstance(data, set | frozenset):
        return f"{type(data).__name__} {sorted(map(digest, data))}"
    if isinstance(data, list | tuple | deque):
        return f"{type(data).__name__} {[digest(each) for each in data]}"
    if isinstance(data, Unstorable):
        return f"{data.kind} {data.text}" if data.tells else ""
    return f"{type(data).__name__} {data!r}"
