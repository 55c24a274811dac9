"""Records of a tape as one pure function, its gradients, and the programs that are kept of it.

A `Segment` holds what the calls are and how they are wired, and no values. It is a function of `sources`, which are
differentiated, and of `others`: all other arrays that the calls used. Eager code calls kept, compiled forms of it, found
by a key of calls and wiring.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.core import jax_typed as typed
from hornbeam.core import recording
from hornbeam.core.call_keys import Unkeyed, call_key, is_numpy, static_key
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.tape import Record, Slot, output_leaves
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import TreeDef

Values: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An argument that is differentiated."""

    index: int


@dataclass(frozen=True, slots=True)
class Other:
    """An argument that is not."""

    index: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output of an earlier step; no gradient flows through where it `is_stopped`."""

    step: int
    index: int
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Static:
    """A value that is part of the function: a size, an axis, a name."""

    value: Any


Place: TypeAlias = Source | Other | Output | Static


@dataclass(frozen=True, slots=True)
class Step:
    """One call: its function, where the leaves of its arguments come from."""

    fn: Callable[..., Any]
    tree: TreeDef
    places: tuple[Place, ...]
    added: tuple[tuple[int, int], ...]
    """Outputs that are sources as well: (output, source). A zero is added there, whose gradient is theirs."""


class Segment:
    """The pure function, and its derivatives."""

    def __init__(self, steps: Sequence[Step], targets: Sequence[Place], count: int) -> None:
        """`targets`: where the results stand; `count`: the number of sources."""
        self.steps = tuple(steps)
        self.targets = tuple(targets)
        self.zeros = frozenset(source for step in steps for _, source in step.added)
        self.count = count

    @cached_property
    def key(self) -> Hashable:
        """Return the key: equal ones mean equal functions. Raises `Unkeyed` where a call has none."""
        return tuple(map(_step_key, self.steps)), self.targets, self.count

    def forward(self, sources: Values, others: Values) -> tuple[list[Any], list[list[Any]]]:
        """Return the targets, and the outputs of all steps."""
        made: list[list[Any]] = []

        def value(place: Place) -> Any:
            match place:
                case Source(index):
                    return sources[index]
                case Other(index):
                    return others[index]
                case Output(step, index, is_stopped):
                    output = made[step][index]
                    return lax.stop_gradient(output) if is_stopped else output
                case Static(constant):
                    return constant

        with recording.paused():
            for step in self.steps:
                args, kwargs = jax.tree.unflatten(step.tree, list(map(value, step.places)))
                leaves = list(map(_raw, output_leaves(step.fn(*args, **kwargs))))
                for output, source in step.added:
                    leaves[output] = leaves[output] + sources[source]
                made.append(leaves)
        return [value(place) for place in self.targets], made

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


def pulled(back: Callable[..., Any], targets: Sequence[Any], upstream: Values) -> Values:
    """Return gradients as TensorFlow has them: of complex numbers it takes the conjugate of JAX's.

    Raises ValueError for a loop with an unknown number of turns.
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
        raise ValueError(
            "A gradient needs the number of turns of a loop, which is not known when the function is traced. Let the loop "
            "go over a range with a known bound, and leave it by `break`: `for i in tf.range(100): if done: break`."
        ) from None
    return tuple(map(_conjugate, gradients))


def _conjugate(value: jax.Array) -> jax.Array:
    return jnp.conj(value) if jnp.issubdtype(value.dtype, jnp.complexfloating) else value


def _raw(leaf: object) -> Any:
    return leaf._value if isinstance(leaf, Tensor) else leaf


@dataclass(frozen=True, slots=True)
class Wired:
    """A segment with the values that it is called on."""

    segment: Segment
    sources: list[Slot]
    others: list[tuple[Any, Any]]
    """The box and the raw value of each."""


def wire(records: Sequence[Record], sources: Sequence[Slot], targets: Sequence[Slot]) -> Wired:
    """Return the records as a segment; what is neither made by them nor a source becomes one of the others."""
    number = {id(record): step for step, record in enumerate(records)}
    differentiated = {id(slot): index for index, slot in enumerate(sources)}
    others: list[tuple[Any, Any]] = []
    known: dict[int, int] = {}

    def other(box: Any, raw: Any) -> Place:
        if not is_array(raw):
            return Static(raw)
        if id(raw) not in known:
            known[id(raw)] = len(others)
            others.append((box, raw))
        return Other(known[id(raw)])

    def place_of(slot: Slot, is_tracked: bool) -> Place:
        step = number.get(id(slot.record))
        if step is not None:
            return Output(step, slot.index, not is_tracked)
        if is_tracked and id(slot) in differentiated:
            return Source(differentiated[id(slot)])
        return other(slot.box, current(slot.box, slot.raw))

    steps: list[Step] = []
    for record in records:
        call = record.call
        places = [
            other(box, current(box, raw)) for box, raw in zip(call.boxes, call.values, strict=True)
        ]
        for link in record.links:
            places[link.place] = place_of(link.slot, link.is_tracked)
        added = tuple(
            (index, differentiated[id(slot)])
            for index, slot in enumerate(record.outputs)
            if slot is not None and id(slot) in differentiated
        )
        steps.append(Step(call.fn, call.tree, tuple(places), added))
    ends = [place_of(slot, is_tracked=True) for slot in targets]
    return Wired(Segment(steps, ends, len(sources)), list(sources), others)


def current(box: object, raw: Any) -> Any:
    """Return the raw value of a tensor as it is now: inside programs, that of a replay."""
    return box._value if isinstance(box, Tensor) else raw


_SMALL = 64


def is_array(raw: object) -> bool:
    """Return whether a leaf is an argument of compiled forms; small arrays of whole numbers are sizes, and part of them."""
    if is_numpy(raw):
        return raw.dtype.kind not in "iub" or raw.size > _SMALL
    return isinstance(raw, jax.Array)


class Kept:
    """A segment with its compiled forms, and whether it can be compiled."""

    def __init__(self, segment: Segment, can_compile: bool) -> None:
        """Nothing is compiled before the first call."""
        self.segment = segment
        self._can_compile = can_compile
        self._forms: dict[str, Callable[..., Values]] = {}

    def call(self, form: str, *args: Values) -> Values:
        """Call the method `form` of the segment, compiled where it can be."""
        plain = getattr(self.segment, form)
        if self._can_compile:
            if form not in self._forms:
                open_cache()
                self._forms[form] = typed.compiled(plain)
            try:
                return self._forms[form](*args)
            except _NEEDS_VALUES:
                self._can_compile = False
        return plain(*args)


# What JAX raises where a function needs values, or a shape depends on them.
_NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)

_MOST = 512
_kept: OrderedDict[Hashable, Kept] = OrderedDict()


def kept(segment: Segment, kind: str = "") -> Kept:
    """Return the kept segment that is equal to this one; one that has no key is not kept.

    Segments of another `kind` are traced in other circumstances.
    """
    try:
        key = kind, segment.key
    except Unkeyed:
        return Kept(segment, can_compile=False)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = Kept(segment, can_compile=True)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    else:
        _kept.move_to_end(key)
    return found


def _step_key(step: Step) -> Hashable:
    return call_key(step.fn), step.tree, tuple(map(_place_key, step.places)), step.added


def _place_key(place: Place) -> Hashable:
    return static_key(place.value) if isinstance(place, Static) else place


def has_key(record: Record) -> bool:
    """Return whether a kept segment can hold the record."""
    try:
        call_key(record.call.fn)
        for raw in record.call.values:
            if not is_array(raw):
                static_key(raw)
    except Unkeyed:
        return False
    return True
