"""Branches over tensors: both are traced, and the program chooses."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.control.autograph.errors import note_defined, note_undefined, staged
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
from hornbeam.control.parts import Part, assigned_by, run_as_one, trace_part
from hornbeam.core.jax_typed import cond
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable

Thunk = Callable[[], Any]
_VALUE = "value"
_SIDES = ("main", "else")


def choose(test: Any, body: Thunk, orelse: Thunk) -> Any:
    """Return `body() if test else orelse()`, for a condition that the program computes."""
    held: list[dict[Name, Held]] = []
    parts: list[Part] = []
    for each in (body, orelse):
        parts.append(_trace(lambda each=each: {_VALUE: each()}, held))
    return _merged(scalar(test), parts, held)[_VALUE]


def branch(
    test: Any,
    body: Thunk,
    orelse: Thunk | None,
    names: Sequence[Name],
    live: Sequence[Name],
    changeable: Sequence[Name] = (),
    *functions: Callable[..., Any],
) -> None:
    """Run an `if` whose condition the program computes; `live` of its names are read later.

    `functions` have the closures where those of the branches have not.
    """
    places = Places(names, *(functions or (body, orelse)))
    before = places.read()
    contents = Contents(places, changeable)
    held: list[dict[Name, Held]] = []
    parts: list[Part] = []
    for each in (body, orelse):

        def run(each: Thunk | None = each) -> dict[Name, Any]:
            if each is not None:
                each()
            return {name: places.get(name) for name in live}

        with staged(f"a branch of the `if` on line {places.line}"):
            parts.append(_trace(run, held))
        places.restore(before)
        contents.refuse_changes(f"a branch of the `if` on line {places.line}")
    after = dict.fromkeys(names, UNDEFINED) | _merged(scalar(test), parts, held)
    places.restore(after)
    _explain_undefined(places, held, after)


def scalar(test: Any) -> jax.Array:
    """Return a condition as a raw bool. Raises ValueError for an array of several."""
    raw = as_tensor(test)._value
    if raw.shape != ():
        raise ValueError(
            f"A condition is one bool; received a tensor of shape {raw.shape} and type {raw.dtype}. Use tf.reduce_any or "
            "tf.reduce_all; to look for None, write `is not None`."
        )
    return jnp.asarray(raw, bool)


def _trace(run: Callable[[], dict[Name, Any]], held: list[dict[Name, Held]]) -> Part:
    """Trace a branch; add what its names hold at its end to `held`."""

    def fn() -> list[Tensor]:
        found = {name: hold(value) for name, value in run().items()}
        held.append(found)
        return [tensor for each in found.values() for tensor in each.arrays]

    return trace_part(fn, [])


@dataclass(frozen=True, slots=True)
class _Pick:
    """One array of the result: its place among each branch's outputs, None where it has none there."""

    places: tuple[int | None, int | None]
    shape: tuple[int, ...]
    dtype: Any

    def of(self, side: int, outputs: Sequence[Any]) -> Any:
        place = self.places[side]
        if place is None:
            return jnp.zeros(self.shape, self.dtype)
        return jax.lax.convert_element_type(outputs[place], self.dtype)


class _Merger:
    """Finds what names hold after both branches."""

    def __init__(self) -> None:
        self.picks: list[_Pick] = []
        self._seen = [0, 0]

    def merge(self, name: Name, one: Held, other: Held) -> Held:
        """Return the leaves behind the `if`: a `_Pick` for an array that depends on the branch."""
        starts = self._seen[:]
        for side, each in enumerate((one, other)):
            self._seen[side] += len(each.arrays)
        if one.is_undefined or other.is_undefined:
            return self._undefined(name, one, other, starts)
        known = (id(leaf) for each in (one, other) for leaf in each.leaves if is_array(leaf))
        outputs = set(known)
        one, other = one.with_elements_of(other) or one, other.with_elements_of(one) or other
        if one.tree != other.tree:
            raise _different_structures(name, one, other)
        leaves: list[Any] = []
        for pair in zip(one.leaves, other.leaves, strict=True):
            places = [at if id(x) in outputs else None for at, x in zip(starts, pair, strict=True)]
            leaves.append(self._leaf(name, *pair, places))
            for side, each in enumerate(pair):
                starts[side] += id(each) in outputs
        return Held(leaves, one.tree)

    def _undefined(self, name: Name, one: Held, other: Held, starts: list[int]) -> Held:
        if name != RETURN or (one.is_undefined and other.is_undefined):
            return hold(UNDEFINED)
        # A flag tells whether something was returned: where it was not, nobody looks at the value.
        side, known = (1, other) if one.is_undefined else (0, one)
        leaves: list[Any] = []
        for leaf in known.leaves:
            if is_array(leaf):
                raw = as_tensor(leaf)._value
                place = starts[side]
                starts[side] += 1
                both = (None, place) if side else (place, None)
                leaves.append(self._pick(both, raw.shape, raw.dtype))
            else:
                leaves.append(leaf)
        return Held(leaves, known.tree)

    def _leaf(self, name: Name, one: Any, other: Any, places: Sequence[int | None]) -> Any:
        """Return what a name holds in one place; an array without a place among a branch's outputs is zeros."""
        if is_same(one, other):
            return one
        if not (is_array(one) and is_array(other)):
            raise TypeError(
                f"{shown(name)} is {describe(one)} at the end of the main branch, but {describe(other)} at the end of the else "
                "branch: a program can choose between tensors and numbers alone."
            )
        raws = as_tensor(one)._value, as_tensor(other)._value
        if raws[0].shape != raws[1].shape:
            raise ValueError(
                f"{shown(name)} has shape {raws[0].shape} in the main branch, but shape {raws[1].shape} in the else branch: "
                "a program needs one shape. Pad, reshape or broadcast the smaller one."
            )
        dtype = _common_type(name, (one, other), raws)
        return self._pick((places[0], places[1]), raws[0].shape, dtype)

    def _pick(
        self, places: tuple[int | None, int | None], shape: tuple[int, ...], dtype: Any
    ) -> _Pick:
        self.picks.append(_Pick(places, shape, dtype))
        return self.picks[-1]


def _common_type(name: Name, leaves: tuple[Any, Any], raws: tuple[Any, Any]) -> Any:
    types = raws[0].dtype, raws[1].dtype
    if types[0] == types[1]:
        return types[0]
    for side in (0, 1):
        # A Python number becomes what stands in the other branch, where that can hold it.
        fits = jnp.promote_types(*types) == types[1 - side]
        if fits and is_number(leaves[side]) and not is_number(leaves[1 - side]):
            return types[1 - side]
    raise TypeError(
        f"{shown(name)} has dtype {types[0]} in the main branch, but dtype {types[1]} in the else branch: cast one of them."
    )


def _different_structures(name: Name, one: Held, other: Held) -> Exception:
    for side, each in zip(_SIDES, (one, other), strict=True):
        if each.is_none and name == RETURN:
            return ValueError(
                f"The {side} branch must also have a return statement: a program returns a value either way."
            )
        if each.is_none:
            return ValueError(
                f"{shown(name)} is None at the end of the {side} branch, but not of the other one: a program can choose "
                "between tensors alone."
            )
    return TypeError(
        f"{shown(name)} must have the same nested structure in the main and else branches; received "
        f"{structure(one)} and {structure(other)}."
    )


def _merged(
    test: jax.Array, parts: Sequence[Part], held: Sequence[Mapping[Name, Held]]
) -> dict[Name, Any]:
    """Return what each name holds behind the branches, computed by the one that the program takes."""
    merger = _Merger()
    merged = {name: merger.merge(name, one, held[1][name]) for name, one in held[0].items()}
    assigned = assigned_by(parts)
    values = iter(_run(test, parts, merger.picks, assigned))
    return {
        name: each.tree.unflatten(
            [next(values) if isinstance(leaf, _Pick) else leaf for leaf in each.leaves]
        )
        for name, each in merged.items()
    }


def _run(
    test: jax.Array, parts: Sequence[Part], picks: Sequence[_Pick], assigned: Sequence[Variable]
) -> list[Tensor]:
    inputs = [(Tensor(test), test), *parts[0].inputs, *parts[1].inputs]
    middle = 1 + len(parts[0].inputs)
    before = {**parts[0].before, **parts[1].before}

    def program(condition: Any, *taken: Any) -> tuple[list[Any], list[Any]]:
        sides = taken[: middle - 1], taken[middle - 1 :]

        def run(side: int) -> tuple[list[Any], list[Any]]:
            outputs, new = parts[side].run(sides[side], [], {})
            states = [_like(new.get(id(v), before[id(v)]), before[id(v)]) for v in assigned]
            return [pick.of(side, outputs) for pick in picks], states

        return cond(condition, lambda: run(0), lambda: run(1))

    return run_as_one(program, inputs, assigned)


def _like(value: Any, known: Any) -> Any:
    return jax.lax.convert_element_type(value, known.dtype)


def _explain_undefined(
    places: Places, held: Sequence[Mapping[Name, Held]], after: Mapping[Name, Any]
) -> None:
    for name, value in after.items():
        text = text_of(name)
        if value is not UNDEFINED:
            note_defined(places.code, text)
            continue
        sides = [s for s, each in zip(_SIDES, held, strict=True) if name in each]
        missing = [s for s, each in zip(sides, held, strict=False) if each[name].is_undefined]
        if len(missing) == 1:
            reason = (
                f"the `if` on line {places.line} depends on a tensor, and its {missing[0]} branch does not assign {text!r}, "
                "which must also be initialized there, or before"
            )
            note_undefined(places.code, text, reason)
