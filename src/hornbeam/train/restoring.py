"""Bringing the values of a checkpoint to objects: at once to those that exist, later to those that come.

Objects are matched with the nodes of the file by the names of the edges that lead to them. What finds no object stays
open, and is looked for again when an object that was matched says that it holds something new. When all objects that could
hold it are gone, a warning names it.
"""

from __future__ import annotations

import functools
import os
import sys
import weakref
from collections import deque
from dataclasses import dataclass

import numpy as np

from hornbeam.core import changes
from hornbeam.core.handover import no_step
from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.train.bundle import Bundle, Entry
from hornbeam.train.graph import VALUE, Node, Paths
from hornbeam.train.trackable import (
    IGNORED,
    is_container,
    is_leaf,
    parts_of,
    slot_of,
    variable_of,
)

_LISTED = 20


@dataclass
class _Owner:
    """A matched object that tells when it changes; it is not kept alive."""

    reference: weakref.ref[object]
    number: int


class Restoration:
    """One reading of a checkpoint into a graph of objects."""

    def __init__(self, bundle: Bundle, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.bundle = bundle
        # Nodes that have found an object: for variables a reference to it.
        self.bound: dict[int, weakref.ref[Variable] | None] = {}
        self._owners: dict[int, _Owner] = {}
        self._open: set[int] = set()  # keys of `_owners`
        self._is_matching = False
        self.is_quiet = False  # whether values that find no object are expected, or told already

    def start(self, *roots: object) -> None:
        """Give all variables that exist their values, and wait for the others.

        Raises ValueError, and changes nothing, where a value does not fit its variable.
        """
        self._assign(self.find(*roots))
        self.wait()

    def find(self, *roots: object) -> list[tuple[Variable, str]]:
        """Match all that exists; return the variables with the keys of their values, which are not assigned."""
        return [found for root in roots for found in self._match(root, 0)]

    def wait(self) -> None:
        """Wait for what found no object, if there is such."""
        if self._open:
            self.bundle.open()
            changes.waiting.append(self._arrived)

    def update(self) -> None:
        """Look for objects that came since."""
        self._revisit(list(self._open))

    def variable(self, number: int) -> Variable | None:
        """Return the variable that a node was matched with, if it is still there."""
        reference = self.bound.get(number)
        return reference() if reference is not None else None

    def missing(self) -> list[int]:
        """Return the nodes with values that found no object."""
        return [n for n, node in enumerate(self.nodes) if node.values and n not in self.bound]

    def names(self, numbers: list[int]) -> list[str]:
        """Return the paths of nodes with values; a slot has no path but a key."""
        paths = Paths(self.nodes)
        return [paths.path(n) or self.nodes[n].values.get(VALUE, "a value") for n in numbers]

    # Waiting

    def _arrived(self, owner: object) -> None:
        known = self._owners.get(id(owner))
        if known is not None and known.reference() is owner:
            self._revisit([id(owner)] if id(owner) in self._open else [])
        else:  # it may stand in a list, which tells nobody
            self._revisit(list(self._open))

    def _revisit(self, keys: list[int]) -> None:
        found: list[tuple[Variable, str]] = []
        self._is_matching = True
        try:
            for key in keys:
                owner = self._owners.get(key)
                obj = None if owner is None else owner.reference()
                self._open.discard(key)
                if owner is not None and obj is not None:
                    found += self._match(obj, owner.number)
            self._assign(found)
        except ValueError:
            self._stop()
            raise
        finally:
            self._is_matching = False
        if not self._open:
            self._stop()

    def _gone(self, key: int) -> None:
        """Stop waiting where the last object that could hold something is gone."""
        self._owners.pop(key, None)
        was_open = key in self._open
        self._open.discard(key)
        if was_open and not self._open and not self._is_matching:
            self._stop()
            left = self.missing()
            # While Python ends, the objects of every program go; nobody waits for their values.
            if left and not self.is_quiet and not sys.is_finalizing():
                names = ", ".join(self.names(left[:_LISTED])) + (", ..." if left[_LISTED:] else "")
                warn(
                    f"{len(left)} values of the checkpoint {os.fspath(self.bundle.prefix)} were not restored, because no "
                    f"variable had their names: {names}. If they are not wanted, say so: "
                    "status = checkpoint.restore(path); status.expect_partial().",
                )

    def _stop(self) -> None:
        if self._arrived in changes.waiting:
            changes.waiting.remove(self._arrived)

    # Matching

    def _match(self, start: object, number: int) -> list[tuple[Variable, str]]:
        """Match what is reachable from an object; return the variables that get values, with the keys of these."""
        found: list[tuple[Variable, str]] = []
        queue: deque[tuple[int, object, int]] = deque([(self._own(start, number), start, number)])
        # With the objects: groups are made for this walk alone.
        seen: dict[tuple[int, int], object] = {}
        unmet: list[tuple[int, int]] = []
        while queue:
            key, obj, number = queue.popleft()
            if (id(obj), number) in seen:
                continue
            seen[id(obj), number] = obj
            if obj is IGNORED:
                self.bound.setdefault(number, None)
            elif is_leaf(obj):
                if self._bind(variable_of(obj), number):
                    found.append((variable_of(obj), self.nodes[number].values[VALUE]))
            elif parts_of.dispatch(type(obj)) is not parts_of.dispatch(object):
                queue += self._children(key, obj, number, unmet)
        # What one name does not lead to, another may.
        self._open |= {key for key, child in unmet if child not in self.bound}
        return found

    def _children(
        self, key: int, obj: object, number: int, unmet: list[tuple[int, int]]
    ) -> list[tuple[int, object, int]]:
        """Return the pairs of objects and nodes that have the same name; add those without an object to `unmet`."""
        node = self.nodes[number]
        self.bound.setdefault(number, None)
        parts = parts_of(obj, node.children.keys())
        assert parts is not None
        known, found = parts.all(), list[tuple[int, object, int]]()
        for name, child in node.children.items():
            if name not in known:
                if self.nodes[child].values or self.nodes[child].children:
                    unmet.append((key, child))
                continue
            target = known[name]
            if is_leaf(target) or is_container(target) or target is IGNORED:
                found.append((key, target, child))
            elif (
                id(target) not in self._owners or self._owners[id(target)].reference() is not target
            ):
                found.append((self._own(target, child), target, child))
        found += self._slots(key, obj, node)
        return found

    def _slots(self, key: int, optimizer: object, node: Node) -> list[tuple[int, object, int]]:
        found: list[tuple[int, object, int]] = []
        for of, name, slot in node.slots:
            variable = self.variable(of)
            target = slot_of(optimizer, name, variable) if variable is not None else None
            if target is None:
                self._open.add(key)
            else:
                found.append((key, target, slot))
        return found

    def _own(self, obj: object, number: int) -> int:
        gone = functools.partial(_tell_gone, weakref.ref(self), id(obj))
        self._owners[id(obj)] = _Owner(weakref.ref(obj, gone), number)
        return id(obj)

    def _bind(self, variable: Variable, number: int) -> bool:
        """Return whether a variable is to take the value of a node."""
        if number not in self.bound:
            self.bound[number] = weakref.ref(variable)
            return VALUE in self.nodes[number].values
        other = self.variable(number)
        if other is not None and other is not variable:
            warn(
                f"The checkpoint {os.fspath(self.bundle.prefix)} has one variable, {self.nodes[number].name!r}, for two here: "
                f"{other.path!r} took its value, {variable.path!r} did not.",
            )
        return False

    # Values

    def _assign(self, wanted: list[tuple[Variable, str]]) -> None:
        problems = list(filter(None, (self._problem(v, key) for v, key in wanted)))
        if problems:
            rest = f"\n  ... and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
            listed = "\n  ".join(problems[:_LISTED])
            raise ValueError(
                f"The checkpoint {os.fspath(self.bundle.prefix)} does not fit; no variable was changed:\n  {listed}{rest}"
            )
        with no_step():  # which would write over what is loaded
            undo = [variable.keep_value() for variable, _ in wanted]
            try:
                for variable, key in wanted:
                    self._load(variable, key)
            except BaseException:
                for each in undo:
                    each()
                raise

    def _problem(self, variable: Variable, key: str) -> str | None:
        entry = self.bundle.entries.get(key)
        if entry is None:
            return f"{variable.path}: the checkpoint lists {key!r} and does not have it"
        if entry.shape != tuple(variable.shape):
            return f"{variable.path} has shape {tuple(variable.shape)}, in the checkpoint {key!r} has {entry.shape}"
        if _kind(entry) != _kind_of(variable.stored_dtype.as_numpy_dtype):
            stored = "texts" if entry.dtype is None else entry.dtype.name
            return f"{variable.path} is of type {variable.stored_dtype.name}, in the checkpoint {key!r} holds {stored}"
        return None

    def _load(self, variable: Variable, key: str) -> None:
        value = self.bundle.read(key)
        if variable.stored_dtype == "string":
            variable.load_value(value)
            return
        assert isinstance(value, np.ndarray)
        dtype = np.dtype(variable.stored_dtype.as_numpy_dtype)
        if value.dtype.kind in "iu" and value.size and dtype.itemsize < value.dtype.itemsize:
            limits = np.iinfo(variable.stored_dtype.as_numpy_dtype)
            if value.min() < limits.min or value.max() > limits.max:
                raise ValueError(
                    f"{variable.path} is kept as {dtype}; {key!r} in the checkpoint {os.fspath(self.bundle.prefix)} has numbers "
                    "beyond that."
                )
        variable.load_value(value.astype(dtype, copy=False))


def _tell_gone(waiting: weakref.ref[Restoration], key: int, _: object) -> None:
    """Tell a restoration that an object is gone, unless it is gone itself."""
    restoration = waiting()
    if restoration is not None:
        restoration._gone(key)


def _kind(entry: Entry) -> str:
    return "text" if entry.dtype is None else _kind_of(entry.dtype)


def _kind_of(dtype: np.dtype | type) -> str:
    """Return "i" for integers, "f" for floating types, "text" for strings; bfloat16 and its kin are none for NumPy."""
    kind = np.dtype(dtype).kind
    return {"u": "i", "V": "f", "O": "text"}.get(kind, kind)
