"""One turn of a loop over tensors, traced: which names it carries from turn to turn, and with which types.

A name that outlives a turn is a part of the loop's state. Where a turn makes a wider type of it (0 becomes a float), the
loop begins with that type, and the turn is traced again; any other change of kind is an error.
"""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.control.autograph.branches import scalar
from hornbeam.control.autograph.errors import note_undefined, staged
from hornbeam.control.autograph.jumps import RETURN
from hornbeam.control.autograph.places import UNDEFINED, Contents, Name, Places, text_of
from hornbeam.control.autograph.values import (
    Held,
    as_tensor,
    describe,
    hold,
    is_array,
    is_number,
    is_same,
    shown,
    structure,
)
from hornbeam.control.parts import Part, states_before, trace_part
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable

# Types grow towards wider ones, and there are not so many.
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Loop:
    """The parts of a loop, as rewritten code hands them over."""

    places: Places
    live: Sequence[Name]
    first: Sequence[Name]
    """Those of `live` that a turn reads before it assigns them."""
    after: Sequence[Name]
    """Those of `live` that are read behind the loop."""
    changeable: Sequence[Name]
    """Names in whose values there may be lists and dicts that a turn changes in place."""
    body: Callable[..., Any]
    goes_on: Callable[[], Any] | None
    """Asked after each turn; None for a loop that has no such condition."""

    @property
    def where(self) -> str:
        """The line, for errors."""
        return f'(loop in "{self.places.code.co_filename}", line {self.places.line})'


@dataclass(frozen=True, slots=True)
class Slot:
    """One array of the state: its type, and its first value, None where it gets one in the first turn."""

    shape: tuple[int, ...]
    dtype: Any
    start: Tensor | None


class NoneAtFirst(Exception):
    """Raised where a turn makes a tensor of what is None before the loop, and reads it first."""

    def __init__(self, turn: Turn, error: Exception) -> None:
        """`turn` can be run as the first one; `error` is for loops that may have none."""
        super().__init__(str(error))
        self.turn = turn
        self.error = error


@dataclass(frozen=True, slots=True)
class Turn:
    """One traced turn."""

    part: Part
    given: list[Tensor]
    """The arrays of the state before the loop."""
    slots: list[Slot]
    """The arrays of the state behind a turn."""
    after: dict[Name, Held]
    """What the names hold behind a turn; its arrays are those of `slots`, in order."""
    has_condition: bool
    late: list[Name]
    """The names that are read behind the loop and have no value before it."""

    def run(
        self, taken: Sequence[Any], state: Sequence[Any], items: Sequence[Any]
    ) -> tuple[list[Any], Any]:
        """Return the state behind a turn, and whether to go on; both are raw.

        `taken` are values of the part's inputs; the state is that of `slots`, and then of the assigned variables.
        """
        arrays, variables = state[: len(self.slots)], state[len(self.slots) :]
        known = [x for x, slot in zip(arrays, self.slots, strict=True) if slot.start is not None]
        outputs, new, goes_on = self.run_first(taken, known, variables, items)
        kept = [
            jax.lax.convert_element_type(x, slot.dtype)
            for x, slot in zip(outputs, self.slots, strict=True)
        ]
        return [*kept, *new], goes_on

    def run_first(
        self,
        taken: Sequence[Any],
        given: Sequence[Any],
        variables: Sequence[Any],
        items: Sequence[Any],
    ) -> tuple[list[Any], list[Any], Any]:
        """Return the arrays behind a turn, the variables, and whether to go on; `given` are arrays before it."""
        changed = {id(v): x for v, x in zip(self.part.assigned, variables, strict=True)}
        outputs, new = self.part.run(taken, [*given, *items], changed)
        goes_on = outputs.pop() if self.has_condition else jnp.bool_(True)
        kept = [
            jax.lax.convert_element_type(new[id(v)], x.dtype)
            for v, x in zip(self.part.assigned, variables, strict=True)
        ]
        return outputs, kept, goes_on

    @property
    def states(self) -> list[tuple[Variable, Any]]:
        """The assigned variables with their values before the loop."""
        return states_before([self.part], self.part.assigned)

    @property
    def start(self) -> list[tuple[Any, Any]]:
        """The state before the first turn, as boxes and raw values."""
        tensors = [
            Tensor(jnp.zeros(slot.shape, slot.dtype)) if slot.start is None else slot.start
            for slot in self.slots
        ]
        return [*((tensor, tensor._value) for tensor in tensors), *self.states]

    def values(self, tensors: Sequence[Tensor]) -> dict[Name, Any]:
        """Return the values of the names, `tensors` being the arrays of the state."""
        return _filled(self.after, iter(tensors))


def trace_turn(loop: Loop, items: Sequence[jax.ShapeDtypeStruct]) -> Turn:
    """Trace a turn of a loop that is given `items`.

    Raises NoneAtFirst where the first turn is of another kind than the others.
    """
    before = loop.places.read()
    contents = Contents(loop.places, loop.changeable)
    start = {name: hold(before[name]) for name in loop.live}
    for _ in range(_ROUNDS):
        turn = _trace_once(loop, start, items)
        loop.places.restore(before)
        contents.refuse_changes(f"a turn of the loop on line {loop.places.line}")
        grown = {n: x for n, held in turn.after.items() if (x := start[n].with_elements_of(held))}
        if grown:
            start |= grown
            continue
        slots: list[Slot] = []
        wider: list[tuple[Name, int, Any]] = []
        for name, held in turn.after.items():
            more, changes = _compare(loop, name, start[name], held, turn)
            slots += more
            wider += changes
        if not wider:
            pairs = ((name, start[name], turn.after[name]) for name in loop.after)
            late = [name for name, old, new in pairs if name != RETURN and _is_late(old, new)]
            return replace(turn, slots=slots, late=late)
        for name, place, dtype in wider:
            leaves = list(start[name].leaves)
            leaves[place] = Tensor(jnp.asarray(as_tensor(leaves[place])._value, dtype))
            start[name] = Held(leaves, start[name].tree)
    raise TypeError(
        f"The types of {', '.join(map(shown, loop.live))} differ after each turn {loop.where}."
    )


def _trace_once(loop: Loop, start: dict[Name, Held], items: Sequence[jax.ShapeDtypeStruct]) -> Turn:
    given = [as_tensor(x) for each in start.values() for x in each.leaves if _is_state(x)]
    undefined = dict.fromkeys(loop.places.names, UNDEFINED)
    after: dict[Name, Held] = {}

    def fn(*tensors: Tensor) -> list[Tensor]:
        following = iter(tensors)
        loop.places.restore(undefined | _filled(start, following))
        loop.body(*following)
        condition = [] if loop.goes_on is None else [Tensor(scalar(loop.goes_on()))]
        after.update((name, hold(loop.places.get(name))) for name in loop.live)
        leaves = [leaf for each in after.values() for leaf in each.leaves if _is_state(leaf)]
        return [*map(as_tensor, leaves), *condition]

    shapes = [jax.ShapeDtypeStruct(x._value.shape, x._value.dtype) for x in given]
    try:
        with staged(f"the loop on line {loop.places.line}"):
            part = trace_part(fn, [*shapes, *items])
    except NameError:
        for name in loop.first:
            if name in start and start[name].is_undefined:
                reason = (
                    f"the loop on line {loop.places.line} is a part of the program, and a turn of it reads "
                    f"{text_of(name)!r}, which must be defined before the loop"
                )
                note_undefined(loop.places.code, text_of(name), reason)
        raise
    slots = [_late(leaf) for each in after.values() for leaf in each.leaves if _is_state(leaf)]
    return Turn(part, given, slots, after, loop.goes_on is not None, [])


def _is_late(before: Held, after: Held) -> bool:
    """Return whether a name has a value behind a turn only."""
    if before.is_undefined or before.is_none:
        return not (after.is_undefined or (before.is_none and after.is_none))
    return False


def _is_state(leaf: object) -> bool:
    """Return whether a leaf is carried: a variable stays the object that it is."""
    return is_array(leaf) and not isinstance(leaf, Variable)


def _filled(names: dict[Name, Held], tensors: Iterator[Tensor]) -> dict[Name, Any]:
    return {
        name: held.tree.unflatten([next(tensors) if _is_state(x) else x for x in held.leaves])
        for name, held in names.items()
    }


def _late(leaf: Any) -> Slot:
    raw = as_tensor(leaf)._value
    return Slot(raw.shape, raw.dtype, None)


def _compare(
    loop: Loop, name: Name, before: Held, after: Held, turn: Turn
) -> tuple[list[Slot], list[tuple[Name, int, Any]]]:
    """Return the state's arrays of one name, and the leaves that have to begin with another type."""
    if after.is_undefined and not before.is_undefined:
        raise TypeError(f"{shown(name)} is deleted in a turn, but has a value before {loop.where}.")
    if before.is_undefined or (before.is_none and name not in loop.first):
        return [_late(leaf) for leaf in after.leaves if _is_state(leaf)], []
    if before.tree != after.tree:
        raise _different_structure(loop, name, before, after, turn)
    slots: list[Slot] = []
    wider: list[tuple[Name, int, Any]] = []
    for place, (one, other) in enumerate(zip(before.leaves, after.leaves, strict=True)):
        if _is_state(one) and _is_state(other):
            slot, dtype = _compare_arrays(loop, name, one, other)
            slots.append(slot)
            if dtype != slot.dtype:
                wider.append((name, place, dtype))
        elif isinstance(one, Variable) and _is_state(other):  # the loop begins with its value
            slot, dtype = _compare_arrays(loop, name, one, other)
            slots.append(slot)
            wider.append((name, place, dtype))
        elif not is_same(one, other):
            raise TypeError(
                f"{shown(name)} is {describe(one)} before the loop, but {describe(other)} after one iteration: a loop over "
                f"tensors carries tensors and numbers alone {loop.where}."
            )
    return slots, wider


def _compare_arrays(loop: Loop, name: Name, one: Any, other: Any) -> tuple[Slot, Any]:
    """Return an array of the state, and the type with which it has to begin."""
    start, last = as_tensor(one), as_tensor(other)._value
    first = start._value
    if first.shape != last.shape:
        raise ValueError(
            f"{shown(name)} has shape {first.shape} before the loop, but shape {last.shape} after one iteration "
            f"{loop.where}: a program needs one shape. Collect what grows in a tf.TensorArray, or write into a tensor of "
            "the final shape."
        )
    slot = Slot(first.shape, first.dtype, start)
    if is_number(one) and is_number(other):
        return slot, jnp.promote_types(first.dtype, last.dtype)
    return slot, jnp.result_type(one if is_number(one) else first.dtype, last.dtype)


def _different_structure(
    loop: Loop, name: Name, before: Held, after: Held, turn: Turn
) -> Exception:
    if before.is_none:
        error = ValueError(
            f"{shown(name)} is None before the loop, but a tensor after one iteration {loop.where}: give it a first value "
            "of the same shape and type, such as tf.zeros."
        )
        return NoneAtFirst(turn, error)
    if after.is_none:
        return ValueError(
            f"{shown(name)} is None after one iteration, but a tensor before the loop {loop.where}."
        )
    return TypeError(
        f"{shown(name)} must have the same nested structure before the loop and after one iteration; received "
        f"{structure(before)} and {structure(after)} {loop.where}: a program carries one structure. Collect what grows in a "
        "tf.TensorArray."
    )
