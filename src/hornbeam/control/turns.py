"""The turns of a loop in a program: its functions are traced once, and JAX repeats them.

A variable that the body assigns is a value of the loop like any other: its value before the loop, which the traced body
has as a constant, is carried from turn to turn and assigned after the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.control.inner import finished
from hornbeam.control.tensor_array import is_array
from hornbeam.core import block, scope
from hornbeam.core.block import Block
from hornbeam.core.outputs import Form, flat_outputs
from hornbeam.core.scope import StateScope
from hornbeam.core.tensor import unwrap
from hornbeam.core.variable import Variable


@dataclass(frozen=True, eq=False)
class _Function:
    """A block whose assigned variables are arguments of it."""

    block: Block
    constants: list[Any]
    state: list[Variable]
    places: list[list[int]]
    """For each variable of `state` the constants that are its value before the loop."""

    def run(
        self, constants: Sequence[Any], state: Sequence[Any], arrays: Sequence[Any]
    ) -> tuple[list[Any], list[Any]]:
        """Return the outputs, and the new values of `state`: a pure function."""
        filled = list(constants)
        for places, value in zip(self.places, state, strict=True):
            for place in places:
                filled[place] = value
        outputs, new = self.block.run_on(filled, [], arrays)
        by_id = {id(v): x for v, x in zip(self.block.assigned, new, strict=True)}
        return outputs, [by_id.get(id(v), x) for v, x in zip(self.state, state, strict=True)]


class _Loop:
    """What the functions of a loop read and assign, as they are traced."""

    def __init__(self) -> None:
        """A tensor may hold the value of a variable: in here the variables have copies, so that the two are apart."""
        self._pairs = [(v, scope.read(v)) for v in scope.touched()]
        copies = [jnp.array(value, copy=True) for _, value in self._pairs]
        self._originals = {id(c): x for c, (_, x) in zip(copies, self._pairs, strict=True)}
        self._apart = StateScope(
            (v, copy) for copy, (v, _) in zip(copies, self._pairs, strict=True)
        )
        self._blocks: list[Block] = []

    def trace(self, fn: Callable[..., Any], arrays: Sequence[Any]) -> Block:
        """Trace a function of the loop on tensors like `arrays`."""
        with self._apart:
            made = block.inner(fn, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arrays])
        self._blocks.append(made)
        return made

    def functions(self) -> tuple[list[_Function], list[Variable], list[Variable]]:
        """Return the traced functions, the variables that they assign, and those that they read."""
        state = list({id(v): v for each in self._blocks for v in each.assigned}.values())
        with self._apart:
            before = [scope.read(v) for v in state]
        made = [
            _Function(
                each,
                [self._originals.get(id(c), c) for c in each.jaxpr.consts],
                state,
                [[i for i, c in enumerate(each.jaxpr.consts) if c is x] for x in before],
            )
            for each in self._blocks
        ]
        around = {id(v): v for each in self._blocks for v in [*each.around, *state]}
        return made, state, list(around.values())


def repeat(
    cond: Callable[[Any], Any], body: Callable[[Any], Any], values: Any, limit: Any = None
) -> Any:
    """Return `values` after `values = body(values)` as long as `cond(values)` holds, at most `limit` times.

    Raises ValueError or TypeError where the body returns another structure, shape or type.
    """
    start, form = _flat(values)
    loop = _Loop()
    step = loop.trace(lambda *each: body(_filled(form, each)), start)
    if (known := _with_known_elements(values, step.form, step)) is not None:
        return repeat(cond, body, known, limit)
    loop.trace(lambda *each: cond(_filled(form, each)), start)
    _check_kept(start, step, form, "while_loop")
    (advance, test), state, around = loop.functions()

    def run(values: Any, before: Any, constants: Any, limit: Any) -> list[Any]:
        def goes_on(carry: Any) -> Any:
            count, values, state = carry
            more = jnp.reshape(test.run(constants[0], state, values)[0][0], ()).astype(bool)
            return more if limit is None else more & (count < limit)

        def turn(carry: Any) -> Any:
            count, values, state = carry
            new, state = advance.run(constants[1], state, values)
            return count + 1, _alike(new, values), _alike(state, before)

        _, values, after = lax.while_loop(goes_on, turn, (jnp.int32(0), values, before))
        return [*values, *after]

    constants = [test.constants, advance.constants]
    bound = None if limit is None else jnp.asarray(unwrap(limit))
    results = finished(run, (start, [scope.read(v) for v in state], constants, bound), around)
    return _after(results, form, state)


def over(
    body: Callable[[Any, Any], tuple[Any, Any]], first: Any, elems: Any, reverse: bool = False
) -> tuple[Any, Any]:
    """Return the last `carry`, and all `y` stacked, of `carry, y = body(carry, x)` for the slices x of `elems`.

    The carry starts as `first`. Raises ValueError or TypeError where its structure, shape or type changes.
    """
    start, form = _flat(first)
    xs, x_form = _flat(elems)
    y_forms: list[Form] = []

    def traced(*each: Any) -> Any:
        carry, y = body(_filled(form, each[: len(start)]), _filled(x_form, each[len(start) :]))
        values, y_form = flat_outputs(y)
        y_forms.append(y_form)
        return [carry, values]

    loop = _Loop()
    slices = [jax.ShapeDtypeStruct(x.shape[1:], x.dtype) for x in xs]
    step = loop.trace(traced, [*start, *slices])
    if (known := _with_known_elements(first, step.form.part(0), step)) is not None:
        return over(body, known, elems, reverse)
    _check_kept(start, step, form, "scan", inside=0)
    (advance,), state, around = loop.functions()

    def run(start: Any, xs: Any, before: Any, constants: Any) -> list[Any]:
        def turn(carry: Any, x: Any) -> Any:
            values, state = carry
            new, state = advance.run(constants, state, [*values, *x])
            count = len(values)
            return (_alike(new[:count], values), _alike(state, before)), list(map(jnp.asarray, new[count:]))  # fmt: skip

        length = None if xs else 0
        (values, after), ys = lax.scan(turn, (start, before), xs, length=length, reverse=reverse)
        return [*values, *after, *ys]

    arrays = start, xs, [scope.read(v) for v in state], advance.constants
    results = finished(run, arrays, around)
    count = len(start) + len(state)
    ys = y_forms[0].fill(results[count:], lambda x: x)
    return _after(results[:count], form, state), ys


def _flat(values: Any) -> tuple[list[Any], Form]:
    flat, form = flat_outputs(values)
    return list(map(jnp.asarray, flat)), form


def _filled(form: Form, tensors: Sequence[Any]) -> Any:
    return form.fill(list(tensors), lambda x: x)


def _alike(new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    """Return the values as arrays of the types that they had; only Python numbers have another."""
    return [lax.convert_element_type(x, y.dtype) for x, y in zip(new, old, strict=True)]


def _after(results: list[Any], form: Form, state: list[Variable]) -> Any:
    for variable, value in zip(state, results[form.count :], strict=True):
        scope.assign(variable, unwrap(value))
    return _filled(form, results[: form.count])


def _with_known_elements(values: Any, after: Form, step: Block) -> Any:
    """Return the values with arrays of zeros in the places of TensorArrays to which the body alone gives a shape.

    None where there is none.
    """
    filled = after.fill(step.types()[: after.count], lambda x: x)
    old, new = (jax.tree.leaves(each, is_leaf=is_array) for each in (values, filled))
    if len(old) != len(new):
        return None
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if is_array(a) and is_array(b)]
    known = {id(a): a.with_elements_like(b) for a, b in pairs}
    if all(known[id(a)] is a for a, _ in pairs):
        return None
    return jax.tree.map(lambda x: known.get(id(x), x), values, is_leaf=is_array)


def _check_kept(
    start: list[Any], step: Block, form: Form, name: str, inside: int | None = None
) -> None:
    """Raise where a turn changes the structure, a shape or a type."""
    skeleton = step.form if inside is None else step.form.part(inside)
    if not form.is_like(skeleton):
        raise ValueError(
            f"The body of `{name}` must return the structure that the loop begins with, {form.shown(start)}; it returned "
            f"{skeleton.shown(step.types())}."
        )
    for place, (old, new) in enumerate(zip(start, step.types(), strict=False)):
        if old.dtype != new.dtype:
            raise TypeError(
                f"Value {place} of `{name}` enters the loop with type {old.dtype.name} but has type {new.dtype.name} after "
                "one turn. Cast it before the loop, or in its body, with tf.cast."
            )
        if old.shape != new.shape:
            raise ValueError(
                f"Value {place} of `{name}` enters the loop with shape {old.shape} but has shape {new.shape} after one "
                "turn; shapes in a program are fixed. Begin with the final shape, or collect values in a tf.TensorArray."
            )
