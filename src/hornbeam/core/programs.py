"""Segments that eager code asks for again, as compiled programs that are found by a key.

A key is made of what identifies the calls and of the wires between them. Where each call at one place in the code has
another structure, a whole segment is not worth compiling: its records are then differentiated one by one, each by a small
program of its own. A number that follows a schedule becomes an argument after some values.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeAlias, cast

from hornbeam.core import config
from hornbeam.core import jax_typed as typed
from hornbeam.core.call_keys import Unkeyed, call_key, is_array, static_key
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.jax_typed import NEEDS_VALUES
from hornbeam.core.kept import Kept
from hornbeam.core.recording import CustomCall
from hornbeam.core.segments import Segment, Values, Wired
from hornbeam.core.tape import Record
from hornbeam.core.typing import TreeDef

# Programs and identities of calls, in each of the two halves of `Kept`; spots of numbers, and places in the code.
_PROGRAMS, _CALLS, _SPOTS, _PLACES = 256, 512, 1024, 256
# Structures that are compiled at first sight at one place in the code; how often others must be seen; records for which
# compiling (2 ms each) takes longer than it ever saves; structures that are remembered of a place.
_AT_ONCE, _SEEN, _LONG, _STRUCTURES = 4, 3, 500, 64
# Values of a number after which it becomes an argument.
_MANY = 8


class Program:
    """A segment with its compiled forms."""

    def __init__(self, segment: Segment, spots: tuple[Spot, ...], can_compile: bool) -> None:
        """Nothing is compiled before the first call. `spots` are those of numbers that are arguments."""
        self.segment = segment
        self._spots = spots
        self.can_compile = can_compile
        self._forms: dict[str, Callable[..., Values]] = {}

    def call(self, form: str, *args: Values) -> Values:
        """Call the method `form` of the segment, compiled where it can be."""
        if self.can_compile:
            compiled = self._forms.get(form)
            if compiled is None:
                open_cache()
                compiled = self._forms[form] = typed.compiled(getattr(self.segment, form))
            try:
                return compiled(*args)
            except NEEDS_VALUES:
                self.can_compile = False
                _values.update(dict.fromkeys(self._spots))
        return getattr(self.segment, form)(*args)


_programs: Kept[Program] = Kept(_PROGRAMS)


def program_of(wired: Wired, kind: str = "", place: object = None) -> Program | None:
    """Return the program of wired records; one is made that nobody keeps where a call has no key.

    Programs of another `kind` are traced in other circumstances. `place` says what code asks; None is returned where
    several records are not worth compiling as one there.
    """
    calls = [identity(record) for record in wired.records]
    if None in calls:
        return Program(wired.segment(), (), can_compile=False)
    key = (
        kind,
        config.state(),
        tuple(calls),
        tuple(wired.codes),
        tuple(wired.added),
        wired.targets,
        len(wired.sources),
    )
    found = _programs.get(key)
    if found is not None:
        return found
    if len(calls) > 1 and place is not None and not _is_worth(place, hash(key), len(calls)):
        return None
    spots = tuple(
        (record.call.fn, record.call.tree, place)
        for record in wired.records
        for place in record.numbers
    )
    found = Program(wired.segment(), spots, can_compile=True)
    _programs.set(key, found)
    return found


def forget(fn: Callable[..., Any]) -> None:
    """Forget the programs that compute a function which is its own key: nobody can call it any more."""
    gone: list[Any] = [fn]
    while gone:  # a gradient that is itself differentiated is known by the program that computes it
        numbers = _identities.drop(partial(_is_of, set(map(id, gone))))
        gone = _programs.drop(partial(_has_call, set(numbers)))


def _is_of(ids: set[int], key: tuple[Any, ...], number: int) -> bool:
    """Return whether the key of a call begins with one of some functions or programs."""
    first = cast("tuple[Any, ...]", key[0]) if isinstance(key[0], tuple) else (key[0],)
    return id(first[0]) in ids


def _has_call(numbers: set[int], key: tuple[Any, ...], program: Program) -> bool:
    """Return whether the key of a program has one of some calls."""
    return not numbers.isdisjoint(key[2])


_seen: OrderedDict[object, OrderedDict[int, int]] = OrderedDict()


def _is_worth(place: object, structure: int, count: int) -> bool:
    """Return whether a new structure is to be compiled as one."""
    if count > _LONG:
        return False
    known = _seen.setdefault(place, OrderedDict())
    known[structure] = known.get(structure, 0) + 1
    while len(known) > _STRUCTURES:
        known.popitem(last=False)
    while len(_seen) > _PLACES:
        _seen.popitem(last=False)
    return len(known) <= _AT_ONCE or known[structure] >= _SEEN


_identities: Kept[int] = Kept(_CALLS)
_next = itertools.count()


def identity(record: Record) -> int | None:
    """Return a number that equal calls share; None for a call that may be another computation next time."""
    if record.identity is None:
        try:
            record.identity = _identified(record)
        except Unkeyed:
            record.identity = -1
    return None if record.identity < 0 else record.identity


def _identified(record: Record) -> int:
    call = record.call
    if isinstance(call, CustomCall):
        raise Unkeyed
    statics: list[Hashable] = []
    for place, raw in enumerate(call.values):
        if type(raw) is float and _varies((call.fn, call.tree, place), raw):
            record.numbers.add(place)
        elif not is_array(raw):
            statics.append((place, static_key(raw)))
    key = call_key(call.fn), call.tree, tuple(statics), frozenset(record.numbers)
    found = _identities.get(key)
    if found is None:
        found = next(_next)
        _identities.set(key, found)
    return found


Spot: TypeAlias = tuple[Callable[..., Any], TreeDef, int]
"""Where a number stands: the function, the structure of its arguments, and the place among their leaves."""

# None: the function needs to know the number.
_values: OrderedDict[Spot, set[float] | None] = OrderedDict()


def _varies(spot: Spot, value: float) -> bool:
    """Return whether a number has had many values, as one that follows a schedule has."""
    known = _values.setdefault(spot, set())
    if known is None:
        return False
    if len(known) < _MANY:
        known.add(value)
        while len(_values) > _SPOTS:
            _values.popitem(last=False)
    return len(known) >= _MANY
