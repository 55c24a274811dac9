"""Plans: calls of ops that are compiled once and kept.

A plan is an op with the structure of its arguments and all of them that are not arrays. What is left are the arrays: `run`
takes them. The door (`core.op`) finds the plan of a call by a key (`core.plan_keys`), which holds the process-wide settings that
bodies read, too.

Arrays of any shape and type share a plan: `jax.jit` compiles for each. docs/design/0026 has the figures and the reasons.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import jax
from jax.core import Tracer

from hornbeam.core import config, host_bodies, recording, scope, wide
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.direct import CREATING
from hornbeam.core.host_bodies import HOST_BODIES
from hornbeam.core.jax_typed import jit, tree_map
from hornbeam.core.kept import Kept
from hornbeam.core.origins import (
    Probabilities,
    are_probabilities,
    note_probabilities,
    probabilities_in,
)
from hornbeam.core.plan_keys import is_array, is_box, is_raw_array, loose_key, scan
from hornbeam.core.tensor import raw_of
from hornbeam.core.weight import is_weight

if TYPE_CHECKING:
    from hornbeam.core.op import Op
    from hornbeam.core.typing import TreeDef

# Calls after which the plan of an op that rounds at most once is compiled: before, its body is called.
WORTH_COMPILING = 3
# Calls of a plan whose body can't be compiled, so that it is never worth it.
NEVER = 1 << 60
# Values of the numbers of one call after which they become arguments.
MANY_VALUES = 8
# Plans in each of the two halves of `Kept`.
MOST_PLANS = 1024
# A power by an integer is a series of products, with other last bits than a power by any number.
_NEED_INTEGERS = ("power",)


class _NeedsPython(Exception):
    """Ends the trace of a body that is more than a function of its arrays."""


@partial(jax.tree_util.register_dataclass, data_fields=["outputs", "origins"], meta_fields=[])
@dataclass(frozen=True)
class Noted:
    """Outputs of which some are probabilities, with what these were made of."""

    outputs: Any
    origins: list[Probabilities | None]


class Plan:
    """An op, the structure of its arguments, and those that are not arrays.

    `run(*arrays)` computes by a compiled program, and is None while, or where, there is none: then `direct` calls the body.
    """

    __slots__ = (
        "__weakref__",
        "asked",
        "casts",
        "fn",
        "host",
        "in_64_bits",
        "leaves",
        "name",
        "places",
        "run",
        "shapes",
        "tree",
    )

    def __init__(
        self,
        op: Op[..., Any],
        leaves: list[Any],
        tree: TreeDef,
        places: list[int],
        in_64_bits: bool = False,
    ) -> None:
        """`places` are those of the leaves that hold arrays; see `core.wide` for `in_64_bits`."""
        self.fn = wide.in_64_bits(op.raw) if in_64_bits else op.raw
        self.name, self.tree, self.places = op.name, tree, places
        self.in_64_bits = in_64_bits
        self.casts: list[tuple[int, wide.Cast]] = []
        self.leaves = list(leaves)
        for place in places:
            self.leaves[place] = None
        self.asked = 0
        self.host = HOST_BODIES.get(op.name)
        self.shapes: list[Any] = []
        self.run: Callable[..., Any] | None = None

    def filled(self, values: Sequence[Any]) -> list[Any]:
        """Return the leaves of the arguments, `values` in the places of arrays."""
        leaves = self.leaves.copy()
        for place, value in zip(self.places, values, strict=True):
            leaves[place] = value
        return leaves

    def direct(self, values: Sequence[Any]) -> Any:
        """Return what the body returns, called on raw values."""
        args, kwargs = jax.tree.unflatten(self.tree, self.filled(values))
        return self.fn(*args, **kwargs)

    def __call__(self, values: Sequence[Any]) -> Any:
        """Return the raw outputs, by the program where there is one."""
        run = self.run
        if run is None:
            return self._without_program(values)
        try:
            if are_probabilities(values):  # the body may want what they were made of
                outputs = run(*values, origins=probabilities_in(list(values)))
            else:
                outputs = run(*values)
        except jax.errors.JaxRuntimeError:
            raise
        except Exception:  # told by the body below, or the body can do what its trace could not
            pass
        else:
            if is_raw_array(outputs):
                return outputs
            if not any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(outputs)):
                return _noted(outputs) if isinstance(outputs, Noted) else outputs
            # The call is traced by other code, as in the user's jax.jit: that program has the body alone.
            return self.direct(values)
        outputs = self._by_hand(values)
        self.run, self.asked = None, NEVER
        return outputs

    def _without_program(self, values: Sequence[Any]) -> Any:
        outputs = self._by_hand(values)
        self.asked += 1
        if self.asked == WORTH_COMPILING - 1:
            self.compile()
        return outputs

    def _by_hand(self, values: Sequence[Any]) -> Any:
        """Return what NumPy makes of the call, or the op's body.

        Where NumPy does, only calls of the same shapes, one after the other, count for being compiled.
        """
        if self.host is None:
            return self.direct(values)
        shapes = [getattr(value, "shape", None) for value in values]
        if shapes != self.shapes and self.asked < NEVER:
            self.shapes, self.asked = shapes, 0
        if not are_probabilities(values):  # the op's body hands on what they were made of
            outputs = host_bodies.call(self.host, self.filled(values), self.tree)
            if outputs is not None:
                return outputs
        return self.direct(values)

    def compile(self) -> None:
        """Let `run` be a program, which is compiled at its first call."""
        open_cache()
        # Made of a plan without `run`: a plan that is forgotten then goes at once, and its programs with it.
        run = jit()(_pure(copy.copy(self)))
        self.run = wide.in_64_bits(run) if self.in_64_bits else run


def _pure(plan: Plan) -> Callable[..., Any]:
    """Return a function of arrays that returns the raw outputs.

    It raises `_NeedsPython` for a body that reads variables, or returns something else than arrays.
    """

    def run(*values: jax.Array, origins: Sequence[Probabilities | None] = ()) -> Any:
        if origins:
            note_probabilities(list(values), origins)
        with scope.isolated() as state, recording.set_aside():
            outputs = plan.direct(values)
        if state.unknown or state.updates or state.made:
            raise _NeedsPython
        outputs = tree_map(raw_of, outputs, is_leaf=is_box)
        if not all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(outputs)):
            raise _NeedsPython
        origins = probabilities_in(outputs)
        return Noted(outputs, origins) if any(origins) else outputs

    run.__name__ = run.__qualname__ = plan.name
    return run


def _noted(noted: Noted) -> Any:
    note_probabilities(noted.outputs, noted.origins)
    return noted.outputs


class _Family:
    """Calls that differ in the values of numbers alone."""

    __slots__ = ("first", "members", "varying")

    def __init__(self, numbers: dict[int, Any]) -> None:
        """`numbers` are those of the first call, by their places among the leaves."""
        self.first = numbers
        self.members = 0
        self.varying: set[int] = set()

    def note(self, numbers: dict[int, Any]) -> set[int]:
        """Note one more call, and return the places of the numbers that have had many values."""
        self.members += 1
        self.varying |= {place for place, value in numbers.items() if value != self.first[place]}
        return self.varying if self.members > MANY_VALUES else set()


# Stands for the plans of calls that differ in the types of their arrays; those of 64 bits have plans of their own always.
_BY_TYPES = cast("Plan", object())
_plans: Kept[Plan] = Kept(MOST_PLANS)
_families: Kept[_Family] = Kept(MOST_PLANS)


def clear() -> None:
    """Forget all plans."""
    _plans.clear()
    _families.clear()


def find(
    op: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Plan, list[Any]] | None:
    """Return the plan of a call and the arrays to run it with; None where there is none."""
    # The settings that bodies read; at those of JAX jax.jit looks itself.
    key: list[Any] = [op, config.state()]
    arrays: list[Any] = []
    if not scan(args, key, arrays):
        return None
    if kwargs:
        for name in kwargs if len(kwargs) == 1 else sorted(kwargs):
            key.append(name)
            if not scan((kwargs[name],), key, arrays):
                return None
    if not arrays and op.name not in CREATING:
        return None
    is_typed = False
    for array in arrays:
        if array.dtype in wide.NARROW:
            is_typed = True
            break
    keyed = _typed(key, arrays) if is_typed else tuple(key)
    plan = _plans.get(keyed)
    if plan is _BY_TYPES:
        is_typed = True
        keyed = _typed(key, arrays)
        plan = _plans.get(keyed)
    if plan is None:
        return _new(op, keyed, is_typed, args, kwargs, arrays)
    if plan.casts:
        for place, change in plan.casts:
            arrays[place] = change(arrays[place])
    return plan, arrays


def _typed(key: Sequence[Any], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """Return the key of a call whose plan depends on the types of its arrays."""
    return (key[0], (key[1], wide.types_of(arrays)), *key[2:])


def _new(
    op: Op[..., Any],
    key: tuple[Any, ...],
    is_typed: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    arrays: list[Any],
) -> tuple[Plan, list[Any]] | None:
    """Make the plan of a call that has none, or find the one that takes some of its numbers as arguments."""
    leaves, tree = jax.tree.flatten((args, kwargs), is_leaf=is_box)
    places = [place for place, leaf in enumerate(leaves) if is_array(leaf)]
    if len(places) != len(arrays):
        return None
    raw = [leaf.read_raw() if is_weight(leaf) else raw_of(leaf) for leaf in leaves]
    if not is_typed and arrays and wide.depends_on_types(raw):
        _plans.set(key, _BY_TYPES)
        key = _typed(key, arrays)
    in_64_bits, casts = wide.settlement(leaves, raw)
    leaves = [casts[place](value) if place in casts else value for place, value in enumerate(raw)]
    arrays = [leaves[place] for place in places]
    varying = _varying(op, key[:2], leaves, tree, places)
    if varying:
        values = dict(zip(places, arrays, strict=True))
        values.update((place, leaves[place]) for place in varying)
        places = sorted(values)
        arrays = [values[place] for place in places]
        key = loose_key((*key[:2], in_64_bits), leaves, tree, places)
        found = _plans.get(key)
        if found is not None:
            return found, arrays
    plan = Plan(op, leaves, tree, places, in_64_bits)
    plan.casts = [
        (i, casts[place])
        for i, place in enumerate(places)
        if casts.get(place, wide.copied) is not wide.copied
    ]
    if not op.direct:
        plan.compile()
    _plans.set(key, plan)
    return plan, arrays


def _varying(
    op: Op[..., Any], head: tuple[Any, ...], leaves: list[Any], tree: TreeDef, places: list[int]
) -> set[int]:
    """Return the places of the numbers that are to be arguments, because calls like this one had many values there."""
    kinds = (float, int) if op.direct and op.name not in _NEED_INTEGERS else (float,)
    numbers = {place: leaf for place, leaf in enumerate(leaves) if type(leaf) in kinds}
    if not numbers:
        return set()
    key = loose_key(head, leaves, tree, {*places, *numbers})
    family = _families.get(key)
    if family is None:
        family = _Family(numbers)
        _families.set(key, family)
    return family.note(numbers)
