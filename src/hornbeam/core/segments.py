"""Records of a tape as one pure function, and its derivatives.

A `Segment` holds what the calls are and how they are wired, and no values. It is a function of `sources`, which are
differentiated, and of `others`: all other arrays that the calls used. `core.programs` keeps compiled forms of it.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.core import jax_typed as typed
from hornbeam.core import recording
from hornbeam.core.call_keys import is_array
from hornbeam.core.tape import Record, Slot, output_leaves
from hornbeam.core.tensor import Tensor, raw_of
from hornbeam.core.typing import TreeDef

Values: TypeAlias = tuple[Any, ...]

Code: TypeAlias = int
"""Where a value comes from, as a number: its kind, and behind it the place."""

# The kinds: an argument that is differentiated, one that is not, an output of an earlier step, such an output through
# which no gradient flows, and a value that is part of the function.
_SOURCE, _OTHER, _OUTPUT, _STOPPED, _STATIC = range(5)
_KINDS, _OUTPUTS = 8, 1 << 16


@dataclass(frozen=True, slots=True)
class Step:
    """One call: its function, and where the leaves of its arguments come from."""

    fn: Callable[..., Any]
    tree: TreeDef
    leaves: list[Any]
    """Those that are part of the function."""
    codes: tuple[Code, ...]
    added: tuple[tuple[int, int], ...]
    """Outputs that are sources as well: (output, source). A zero is added there, whose gradient is theirs."""


class Segment:
    """The pure function, and its derivatives."""

    def __init__(self, steps: Sequence[Step], targets: Sequence[Code]) -> None:
        """`targets` say where the results stand."""
        self.steps = tuple(steps)
        self.targets = tuple(targets)
        self.zeros = frozenset(source for step in steps for _, source in step.added)

    def forward(self, sources: Values, others: Values) -> tuple[list[Any], list[list[Any]]]:
        """Return the targets, and the outputs of all steps."""
        made: list[list[Any]] = []

        def value(code: Code, static: Any = None) -> Any:
            place, kind = divmod(code, _KINDS)
            if kind == _SOURCE:
                return sources[place]
            if kind == _OTHER:
                return others[place]
            if kind == _STATIC:
                return static
            step, index = divmod(place, _OUTPUTS)
            output = made[step][index]
            return lax.stop_gradient(output) if kind == _STOPPED else output

        with recording.paused():
            for step in self.steps:
                leaves = list(map(value, step.codes, step.leaves))
                args, kwargs = jax.tree.unflatten(step.tree, leaves)
                outputs = list(map(raw_of, output_leaves(step.fn(*args, **kwargs))))
                for output, source in step.added:
                    outputs[output] = outputs[output] + sources[source]
                made.append(outputs)
        return list(map(value, self.targets)), made

    def start(self, sources: Values) -> Values:
        """Return the point at which the derivatives are taken: zeros for what is added to outputs."""
        return tuple(jnp.zeros_like(x) if i in self.zeros else x for i, x in enumerate(sources))

    def pull(self, sources: Values, others: Values, upstream: Values) -> Values:
        """Return the gradients of the sources; `upstream` are those of the targets, None for ones."""
        targets, back = self._differentiated(sources, others)
        return pulled(back, targets, upstream)

    def jacobian(self, sources: Values, others: Values, basis: Values) -> Values:
        """Return the gradients for each row of `basis`, stacked along a first axis."""
        targets, back = self._differentiated(sources, others)

        def row(upstream: Values) -> Values:
            return pulled(back, targets, upstream)

        return typed.vmap(row)(basis)

    def push(self, sources: Values, others: Values, tangents: Values) -> Values:
        """Return how the targets change in the direction of `tangents`, those of the sources."""

        def results(values: Values) -> list[Any]:
            return self.forward(values, others)[0]

        _, changes = typed.jvp(results, (self.start(sources),), (tangents,))
        return tuple(changes)

    def _differentiated(
        self, sources: Values, others: Values
    ) -> tuple[list[Any], Callable[..., Any]]:
        def results(values: Values) -> list[Any]:
            return self.forward(values, others)[0]

        return typed.vjp(results, self.start(sources))


class UnknownTurns(ValueError):
    """Raised for the gradient of a loop whose number of turns is not known while its program is traced."""


def pulled(back: Callable[..., Any], targets: Sequence[Any], upstream: Values) -> Values:
    """Return gradients as TensorFlow has them: of complex numbers it takes the conjugate of JAX's.

    Raises UnknownTurns for a loop with an unknown number of turns.
    """
    rows = [
        jnp.ones_like(target) if row is None else _conjugate(row)
        for target, row in zip(targets, upstream, strict=True)
    ]
    try:
        (gradients,) = back(rows)
    except ValueError as error:
        if "Reverse-mode differentiation does not work for lax.while_loop" not in str(error):
            raise
        raise UnknownTurns(
            "A gradient needs the number of turns of a loop, which is not known when the function is traced. Let the loop "
            "go over a range with a known bound, and leave it by `break`: `for i in tf.range(100): if done: break`."
        ) from None
    return tuple(map(_conjugate, gradients))


def _conjugate(value: jax.Array) -> jax.Array:
    return jnp.conj(value) if jnp.issubdtype(value.dtype, jnp.complexfloating) else value


@dataclass(frozen=True, slots=True)
class Wired:
    """Records with the wires between them, and the values that a segment of them is called on."""

    records: Sequence[Record]
    codes: list[tuple[Code, ...]]
    added: list[tuple[tuple[int, int], ...]]
    targets: tuple[Code, ...]
    sources: list[Slot]
    others: list[tuple[Any, Any]]
    """The box and the raw value of each."""

    def segment(self) -> Segment:
        """Return the pure function."""
        steps = [
            Step(
                record.call.fn,
                record.call.tree,
                [
                    raw if code == _STATIC else None
                    for code, raw in zip(codes, record.call.values, strict=True)
                ],
                codes,
                added,
            )
            for record, codes, added in zip(self.records, self.codes, self.added, strict=True)
        ]
        return Segment(steps, self.targets)


def wire(records: Sequence[Record], sources: Sequence[Slot], targets: Sequence[Slot]) -> Wired:
    """Wire the records; what is neither made by them nor a source becomes one of the others."""
    step_of = {id(record): step for step, record in enumerate(records)}
    place_of = {id(slot): place for place, slot in enumerate(sources)}
    others: list[tuple[Any, Any]] = []
    known: dict[int, Code] = {}

    def other(box: Any, raw: Any) -> Code:
        code = known.get(id(raw))
        if code is None:
            code = known[id(raw)] = len(others) * _KINDS + _OTHER
            others.append((box, raw))
        return code

    def code_of(slot: Slot, is_tracked: bool) -> Code:
        step = step_of.get(id(slot.record))
        if step is not None:
            kind = _OUTPUT if is_tracked else _STOPPED
            return (step * _OUTPUTS + slot.index) * _KINDS + kind
        place = place_of.get(id(slot)) if is_tracked else None
        if place is not None:
            return place * _KINDS + _SOURCE
        return other(slot.box, current(slot.box, slot.raw))

    all_codes: list[tuple[Code, ...]] = []
    for record in records:
        call = record.call
        codes = [_STATIC] * len(call.values)
        linked = {link.place: link for link in record.links}
        for place, raw in enumerate(call.values):
            link = linked.get(place)
            if link is not None:
                codes[place] = code_of(link.slot, link.is_tracked)
            elif place in record.numbers:
                # An array that is as weak as the number where types are promoted.
                codes[place] = other(None, jnp.asarray(raw))
            elif is_array(raw):
                codes[place] = other(call.boxes[place], current(call.boxes[place], raw))
        all_codes.append(tuple(codes))
    added = [
        tuple(
            (index, place_of[id(slot)])
            for index, slot in enumerate(record.outputs)
            if slot is not None and id(slot) in place_of
        )
        for record in records
    ]
    ends = tuple(code_of(slot, is_tracked=True) for slot in targets)
    return Wired(records, all_codes, added, ends, list(sources), others)


def current(box: object, raw: Any) -> Any:
    """Return the raw value of a tensor as it is now: inside programs, that of a replay."""
    return box._value if isinstance(box, Tensor) else raw
