"""The record of a gradient tape: which calls lead from watched values to others.

A `Tape` listens at the door (`core.recording`). It keeps a call where one of its arguments is tracked: watched, made of what
is tracked, or a trainable variable that is read. `core.backward` computes the kept calls again, under `jax.vjp`.

Inside a program that is being traced, it also keeps calls that no gradient flows through but that use what is tracked: they
are computed anew from the values of the replay, so that the program has one forward pass (docs/design/0028).
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from hornbeam.core.op import is_box
from hornbeam.core.recording import Call, CustomCall, recorders
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import RawArray
from hornbeam.core.user_code import place_of_look
from hornbeam.core.variable import Variable


@dataclass(slots=True, eq=False)
class Slot:
    """A value that the tape knows: watched, or an output of a record."""

    box: Any
    """The tensor or variable that holds the value."""
    raw: Any
    """The value, as it was then."""
    record: Record | None = None
    """What made it; None for a watched value."""
    index: int = 0
    """Its place among the outputs of `record`."""
    is_tracked: bool = True
    """Whether gradients flow to it; False for what a program computes anew only."""
    aliases: list[Tensor] = field(default_factory=list[Tensor])
    """Other tensors around the same array."""


@dataclass(slots=True, eq=False)
class Link:
    """An argument of a record that the tape knows: the place among the leaves, and what stands there."""

    place: int
    slot: Slot
    is_tracked: bool


@dataclass(frozen=True, slots=True, eq=False)
class Exit:
    """A place in the user's code where the raw value of something that is tracked was taken."""

    box: Slot | Variable
    by: str
    """What took it, in words."""
    place: str
    """The file and the line."""


@dataclass(slots=True, eq=False)
class Record:
    """A call, what it took from other records, and its outputs."""

    call: Call
    links: list[Link]
    outputs: list[Slot | None]
    """One for each leaf of the outputs; None for what is neither tracked nor computed anew."""
    is_tracked: bool
    is_traced: bool
    """Whether it was made inside a program that is being traced."""
    identity: int | None = None
    """What `core.programs` knows it by."""
    numbers: set[int] = field(default_factory=set[int])
    """Places of numbers that are arguments, for they have had many values."""


class Tape:
    """A listener at the door that keeps what gradients need."""

    def __init__(self, watch_accessed_variables: bool = True) -> None:
        """Without `watch_accessed_variables` only what is watched by hand is tracked."""
        self.records: list[Record] = []
        self.exits: list[Exit] = []
        self.is_stopped = False
        self._watches_reads = watch_accessed_variables
        # By identity; slots keep the boxes and arrays alive. None: known, and not tracked.
        self._by_box: dict[int, Slot | None] = {}
        self._by_raw: dict[int, Slot] = {}
        self._variables: dict[int, list[Slot]] = {}
        self._kept: list[Any] = []  # what identities in the tables above stand for

    # Listening

    def start(self) -> None:
        """Listen to this thread's calls."""
        recorders().append(self)

    def stop(self) -> None:
        """Listen no more."""
        recorders().remove(self)

    def __call__(self, call: Call, outputs: object) -> None:
        """Keep the call if it matters; this is what the door calls."""
        if self.is_stopped:
            self._forget(outputs)
            return
        links = self._links(call)
        leaves = output_leaves(outputs)
        is_traced = bool(links) and any(map(_holds_tracer, leaves))
        is_tracked = any(link.is_tracked for link in links) and has_gradient(call)
        if not (is_tracked or is_traced):
            self._forget(outputs)
            return
        record = Record(call, links, [], is_tracked, is_traced)
        for index, leaf in enumerate(leaves):
            record.outputs.append(self._output(record, index, leaf, is_traced))
        self.records.append(record)

    def _output(self, record: Record, index: int, leaf: object, is_traced: bool) -> Slot | None:
        if not isinstance(leaf, Tensor):
            return None
        raw = leaf._value
        is_tracked = record.is_tracked and is_differentiable(raw)
        slot = Slot(leaf, raw, record, index, is_tracked) if is_tracked or is_traced else None
        if slot is None:
            self._kept.append(leaf)
        elif isinstance(
            record.call, CustomCall
        ):  # the same array came out of a call with another gradient
            self._by_raw[id(raw)] = slot
        else:
            self._by_raw.setdefault(id(raw), slot)
        self._by_box[id(leaf)] = slot
        return slot

    def _links(self, call: Call) -> list[Link]:
        links: list[Link] = []
        for place, box in enumerate(call.boxes):
            if isinstance(box, Tensor):
                slot = self.slot_of(box)
                if slot is not None:
                    links.append(Link(place, slot, slot.is_tracked))
            elif isinstance(box, Variable):
                raw = call.values[place]
                slot = self._slot_of_variable(box, raw)
                if slot is not None:
                    links.append(Link(place, slot, is_tracked=True))
                elif (slot := self._of_raw(raw)) is not None:
                    # Assigned since: no gradient flows through an assignment.
                    links.append(Link(place, slot, is_tracked=False))
        return links

    def _forget(self, outputs: object) -> None:
        """Note that tensors which share the array of a tracked one are not tracked: `stop_gradient` returns such."""
        for leaf in output_leaves(outputs):
            if isinstance(leaf, Tensor) and id(leaf._value) in self._by_raw:
                self._by_box[id(leaf)] = None
                self._kept.append(leaf)

    def taken_out(self, box: Tensor | Variable, by: str) -> None:
        """Note where a tracked value leaves the tape's sight; see `core.listening`."""
        if self.is_stopped:
            return
        is_variable = isinstance(box, Variable)  # it matters only where its gradient is asked for
        known = box if is_variable else next(iter(self.slots_of(box)), None)
        if known is not None and (place := place_of_look()) is not None:
            self.exits.append(Exit(known, by, place))

    # Watching

    def watch(self, box: Tensor | Variable) -> None:
        """Track a tensor or variable."""
        if isinstance(box, Variable):
            self._variables.setdefault(id(box), [])
            self._kept.append(box)
            return
        known = self.slot_of(box)
        if known is None or not known.is_tracked:
            slot = self._by_box[id(box)] = Slot(box, box._value)
            self._by_raw.setdefault(id(box._value), slot)

    def watched_variables(self) -> list[Variable]:
        """Return the variables that were watched or read, in that order."""
        by_id = {id(box): box for box in self._kept if isinstance(box, Variable)}
        return [by_id[key] for key in self._variables]

    # Looking up

    def slot_of(self, box: Tensor) -> Slot | None:
        """Return what the tape knows of a tensor; another tensor around the same array is as good."""
        try:
            return self._by_box[id(box)]
        except KeyError:
            slot = self._of_raw(box._value)
        if slot is not None:
            self._by_box[id(box)] = slot
            slot.aliases.append(box)
        return slot

    def slots_of(self, box: object) -> list[Slot]:
        """Return the tracked slots of a source: of a variable that was assigned in between there are several."""
        if isinstance(box, Variable):
            return self._variables.get(id(box), [])
        slot = self.slot_of(box) if isinstance(box, Tensor) else None
        return [slot] if slot is not None and slot.is_tracked else []

    def _of_raw(self, raw: RawArray) -> Slot | None:
        slot = self._by_raw.get(id(raw))
        return slot if slot is not None and slot.raw is raw else None

    def _slot_of_variable(self, variable: Variable, raw: RawArray) -> Slot | None:
        if id(variable) not in self._variables:
            if not (self._watches_reads and variable.trainable and is_differentiable(raw)):
                return None
            self.watch(variable)
        known = self._variables[id(variable)]
        for slot in known:
            if slot.raw is raw:
                return slot
        known.append(Slot(variable, raw))
        return known[-1]

    def replace(self, box: Tensor, raw: RawArray) -> None:
        """Note that the value of `box`, an output that the tape knows, is now what a replay computed."""
        slot = self._by_box.get(id(box))
        if slot is not None:
            self._kept.append(slot.raw)
            slot.raw = raw
            self._by_raw[id(raw)] = slot


def has_gradient(call: Call) -> bool:
    """Return whether gradients flow through the call."""
    fn: Any = call.fn
    if isinstance(call.fn, partial) and fn.args:  # the body of an op that runs in another mode
        fn = fn.args[0]
    return getattr(fn, "has_gradient", True)


def output_leaves(outputs: object) -> list[Any]:
    """Return the leaves of what an op returned, or of the raw outputs of a replay."""
    if isinstance(outputs, (Tensor, jax.Array)):
        return [outputs]
    return jax.tree.leaves(outputs, is_leaf=is_box)


_differentiable: dict[Any, bool] = {}


def is_differentiable(raw: RawArray) -> bool:
    """Return whether a raw value is of a floating or complex type."""
    known = _differentiable.get(raw.dtype)
    if known is None:
        known = _differentiable[raw.dtype] = jnp.issubdtype(raw.dtype, jnp.inexact)
    return known


def _holds_tracer(leaf: object) -> bool:
    return isinstance(leaf, Tensor) and isinstance(leaf._value, Tracer)
