"""Gradients of what a tape kept: choosing the records, and computing them again under `jax.vjp`.

Outside of programs, groups of records run as kept, compiled segments, the last group first. Inside a program that is being
traced there is one group, differentiated in place; the tensors that were recorded then take the values of that replay, so
that the forward pass before it is dead code.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core import jax_typed as typed
from hornbeam.core import recording, scope
from hornbeam.core.call_keys import Unkeyed
from hornbeam.core.operators import elementary
from hornbeam.core.origins import note_probabilities, probabilities_in
from hornbeam.core.programs import Program, identity, program_of
from hornbeam.core.recording import CustomCall
from hornbeam.core.segments import Segment, Values, Wired, current, pulled, wire
from hornbeam.core.tape import Record, Slot, Tape, output_leaves
from hornbeam.core.tensor import Tensor, is_traced, raw_of


@dataclass(frozen=True)
class Route:
    """The records that lead from sources to targets."""

    records: list[Record]
    sources: list[Slot]
    """Those that a target depends on, each once."""
    targets: list[Slot]
    passed: frozenset[int]
    """Identities of the slots that gradients pass on their way."""


def route(tape: Tape, sources: Sequence[Slot], targets: Sequence[Slot]) -> Route:
    """Return what lies between: found forwards from the sources, then backwards from the targets."""
    active, depends = made_of(tape, sources)
    needed = {id(slot) for slot in targets if id(slot) in depends}
    records: list[Record] = []
    for record in reversed(active):
        if any(slot is not None and id(slot) in needed for slot in record.outputs):
            records.append(record)
            needed.update(
                id(link.slot)
                for link in record.links
                if link.is_tracked and id(link.slot) in depends
            )
    records.reverse()
    unique = list({id(slot): slot for slot in sources if id(slot) in needed}.values())
    reached = [slot for slot in targets if id(slot) in needed]
    return Route(records, unique, reached, frozenset(needed))


def made_of(tape: Tape, sources: Sequence[Slot]) -> tuple[list[Record], set[int]]:
    """Return the records that use what is made of the sources, and the identities of the slots of it all."""
    depends = {id(slot) for slot in sources}
    active: list[Record] = []
    for record in tape.records:
        if record.is_tracked and any(
            link.is_tracked and id(link.slot) in depends for link in record.links
        ):
            active.append(record)
            depends.update(id(s) for s in record.outputs if s is not None and s.is_tracked)
    return active, depends


def gradients(
    tape: Tape, way: Route, upstream: Sequence[Tensor | None], place: object = None
) -> dict[int, Tensor]:
    """Return the gradients of the route's sources, by the identity of the slot.

    `upstream` are the gradients of its targets; None stands for ones. `place` says what code asks.
    """
    if _is_inside(way, upstream):
        return _in_place(tape, way, upstream)
    return _Backward(way, upstream, place).run()


def jacobian(tape: Tape, way: Route, basis: Tensor) -> dict[int, Tensor]:
    """Return the gradients of the sources for each row of `basis`, stacked; the route has one target."""
    if _is_inside(way, [basis]):
        return _in_place(tape, way, [basis], form="jacobian")
    groups = _groups(way.records)
    if len(groups) == 1 and not isinstance(groups[0][0].call, CustomCall):
        wired = wire(groups[0], way.sources, way.targets)
        program = program_of(wired)
        if program is not None:
            return _by_slot(way.sources, _call(wired, program, "jacobian", [basis]))
    rows = [_Backward(way, [row]).run() for row in basis]
    return {id(slot): elementary["array"]([row[id(slot)] for row in rows]) for slot in way.sources}


def _is_inside(way: Route, upstream: Sequence[Tensor | None]) -> bool:
    """Return whether a program is being traced that computes any of this."""
    return any(record.is_traced for record in way.records) or any(
        is_traced(each._value) for each in upstream if each is not None
    )


def _groups(records: Sequence[Record]) -> list[list[Record]]:
    """Return the records in groups that are differentiated as one: what can't be kept stands alone."""
    groups: list[list[Record]] = []
    is_open = False
    for record in records:
        keyed = identity(record) is not None
        if keyed and is_open:
            groups[-1].append(record)
        else:
            groups.append([record])
        is_open = keyed
    return groups


class _Backward:
    """One pass from the targets to the sources, group by group."""

    def __init__(self, way: Route, upstream: Sequence[Tensor | None], place: object = None) -> None:
        self._way = way
        self._place = place
        self._is_source = {id(slot) for slot in way.sources}
        self._ones: set[int] = set()
        # The gradients of slots, as far as later groups have told.
        self._found: dict[int, Tensor] = {}
        for slot, row in zip(way.targets, upstream, strict=True):
            if row is not None or id(slot) in self._ones:
                self._add(slot, _ones(slot) if row is None else row)
            else:
                self._ones.add(id(slot))

    def run(self) -> dict[int, Tensor]:
        """Return the gradients of the sources."""
        for group in reversed(_groups(self._way.records)):
            self._differentiate(group)
        for slot in self._way.sources:
            if id(slot) in self._ones:  # a target that is a source itself
                self._add(slot, _ones(slot))
        sources = (slot for slot in self._way.sources if id(slot) in self._found)
        return {id(slot): self._found[id(slot)] for slot in sources}

    def _differentiate(self, group: list[Record]) -> None:
        if isinstance(group[0].call, CustomCall):
            self._ask(group[0], group[0].call)
            return
        made = {id(slot): slot for record in group for slot in record.outputs if slot is not None}
        targets = [s for key, s in made.items() if key in self._found or key in self._ones]
        if not targets:
            return
        inputs = {
            id(link.slot): link.slot
            for record in group
            for link in record.links
            if link.is_tracked and id(link.slot) in self._way.passed
        }
        inside = [slot for key, slot in made.items() if key in self._is_source]
        outside = [slot for key, slot in inputs.items() if key not in made]
        wired = wire(group, [*inside, *outside], targets)
        program = program_of(wired, place=self._place)
        if program is None:
            for record in reversed(group):
                self._differentiate([record])
            return
        upstream = [self._taken(slot) for slot in targets]
        gradients = _call(wired, program, "pull", upstream)
        for slot, gradient in zip((*inside, *outside), gradients, strict=True):
            self._add(slot, gradient)

    def _ask(self, record: Record, call: CustomCall) -> None:
        """Let the user's function compute the gradients of one record."""
        rows: list[Tensor | None] = []
        for slot in record.outputs:
            rows.append(None)
            if slot is not None and (id(slot) in self._found or id(slot) in self._ones):
                rows[-1] = _ones(slot) if (row := self._taken(slot)) is None else row
                if id(slot) in self._is_source:
                    self._found[id(slot)] = rows[-1]
        if not any(row is not None for row in rows):
            return
        gradients = call.gradient(rows)
        for link in record.links:
            gradient = gradients[link.place]
            if gradient is not None and link.is_tracked and id(link.slot) in self._way.passed:
                self._add(link.slot, gradient)

    def _taken(self, slot: Slot) -> Tensor | None:
        """Return the gradient that a group's target has so far; that of a source is then made anew by its group."""
        is_one = id(slot) in self._ones
        self._ones.discard(id(slot))
        row = self._found.pop(id(slot), None)
        return row if row is None or not is_one else elementary["add"](row, _ones(slot))

    def _add(self, slot: Slot, gradient: Tensor) -> None:
        known = self._found.get(id(slot))
        self._found[id(slot)] = gradient if known is None else elementary["add"](known, gradient)


def _ones(slot: Slot) -> Tensor:
    return Tensor(jnp.ones_like(slot.raw))


class PureCall:
    """A method of a segment as the function of a call that other tapes record."""

    def __init__(self, program: Program | None, segment: Segment, form: str) -> None:
        """`form` is "pull" or "jacobian"; `program` is the segment's, where it has one that is kept."""
        self._program = program
        self._segment = segment
        self._form = form

    @property
    def call_key(self) -> object:
        """Return what tells whether a program can be used again; see `core.call_keys`."""
        if self._program is None or not self._program.can_compile:
            raise Unkeyed
        return self._program, self._form

    def __call__(self, sources: Values, others: Values, upstream: Values) -> Values:
        return getattr(self._segment, self._form)(sources, others, upstream)


def _call(
    wired: Wired, program: Program, form: str, upstream: Sequence[Tensor | None]
) -> list[Tensor]:
    """Call a segment, and tell the listeners."""
    sources = tuple(slot.raw for slot in wired.sources)
    others = tuple(raw for _, raw in wired.others)
    rows = tuple(None if row is None else row._value for row in upstream)
    with recording.paused():
        outputs = [Tensor(value) for value in program.call(form, sources, others, rows)]
    _note(
        wired, PureCall(program, program.segment, form), (sources, others, rows), upstream, outputs
    )
    return outputs


def _note(
    wired: Wired,
    function: PureCall,
    values: tuple[Values, Values, Values],
    upstream: Sequence[Tensor | None],
    outputs: list[Tensor],
) -> None:
    """Tell other tapes how the gradients were computed."""
    if not recording.is_recording():
        return
    leaves, tree = jax.tree.flatten((values, {}))
    boxes = [
        *(slot.box for slot in wired.sources),
        *(box for box, _ in wired.others),
        *(row for row in upstream if row is not None),
    ]
    recording.note(recording.Call(function, tree, boxes, leaves), outputs)


def _by_slot(sources: Sequence[Slot], outputs: Sequence[Tensor]) -> dict[int, Tensor]:
    return {id(slot): each for slot, each in zip(sources, outputs, strict=True)}


# Inside programs


def _in_place(
    tape: Tape, way: Route, upstream: Sequence[Tensor | None], form: str = "pull"
) -> dict[int, Tensor]:
    """Differentiate in the middle of a trace, and let recorded tensors take the replayed values."""
    inside, after = _to_replay(tape, way.records)
    wired = wire(inside, way.sources, way.targets)
    segment = wired.segment()
    sources = tuple(current(slot.box, slot.raw) for slot in wired.sources)
    others = tuple(raw for _, raw in wired.others)
    rows = tuple(None if row is None else row._value for row in upstream)

    def run(values: Values) -> tuple[list[Any], Any]:
        targets, made = segment.forward(values, others)
        return targets, (made, probabilities_in(made))

    tapes = [tape, *(each for each in recording.recorders() if isinstance(each, Tape))]
    with recording.paused():
        targets, back, (made, origins) = typed.vjp(run, segment.start(sources), has_aux=True)
        # What follows takes the outputs as they come out of here: as other values, made of the same logits.
        note_probabilities(made, origins)
        if form == "pull":
            values = pulled(back, targets, rows)
        else:
            values = typed.vmap(partial(pulled, back, targets))(rows)
        _take_replayed(tapes, inside, made, after)
    outputs = list(map(Tensor, values))
    _note(wired, PureCall(None, segment, form), (sources, others, rows), upstream, outputs)
    return _by_slot(wired.sources, outputs)


def _to_replay(tape: Tape, records: list[Record]) -> tuple[list[Record], list[Record]]:
    """Return the records to replay under the gradient, and those to compute anew after it.

    Under it: those of the route, and what these take from each other on ways that no gradient goes. After it: what else
    was made of them, like the state of a metric.
    """
    on_route = {id(record) for record in records}
    affected: list[Record] = []
    ids = set(on_route)
    for record in tape.records:
        if id(record) in on_route:
            affected.append(record)
        elif any(id(link.slot.record) in ids for link in record.links):
            affected.append(record)
            ids.add(id(record))
    used = set(on_route)
    for record in reversed(affected):
        if id(record) in used:
            used.update(id(link.slot.record) for link in record.links)
    inside = [record for record in affected if id(record) in used]
    return inside, [record for record in affected if id(record) not in used]


def _take_replayed(
    tapes: list[Tape], inside: list[Record], made: list[list[Any]], after: list[Record]
) -> None:
    """Put replayed values in the place of those that were computed first, wherever these are still seen.

    `tapes` are the one that is asked and those that go on recording.
    """
    news: dict[int, Any] = {}
    olds: list[Any] = []  # so that no identity is used again

    def take(record: Record, leaves: Sequence[Any]) -> None:
        for slot, new in zip(record.outputs, leaves, strict=True):
            if slot is None:
                continue
            olds.append(slot.raw)
            news[id(slot.raw)] = new
            slot.raw = new
            for box in (slot.box, *slot.aliases):
                box._value = new
                for tape in tapes:
                    tape.replace(box, new)

    for record, leaves in zip(inside, made, strict=True):
        take(record, leaves)
    for record in after:
        values = list(record.call.values)
        for link in record.links:
            values[link.place] = link.slot.raw
        for place, box in enumerate(record.call.boxes):
            if isinstance(box, Tensor):
                values[place] = box._value
        take(record, [raw_of(leaf) for leaf in output_leaves(record.call.replay(values))])
    scope.replace_values(news)
