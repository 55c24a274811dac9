"""The turns of a loop in a program: its functions are traced once, and JAX repeats them.

A variable that the body assigns is a value of the loop like any other: it is carried from turn to turn, and assigned
after the last one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.control.parts import Part, assigned_by, run_as_one, states_before, trace_part
from hornbeam.control.tensor_array import with_elements_of
from hornbeam.core.block import Block
from hornbeam.core.outputs import Form, flat_outputs
from hornbeam.core.tensor import unwrap
from hornbeam.core.variable import Variable


def repeat(
    cond: Callable[[Any], Any], body: Callable[[Any], Any], values: Any, limit: Any = None
) -> Any:
    """Return `values` after `values = body(values)` as long as `cond(values)` holds, at most `limit` times.

    Raises ValueError or TypeError where the body returns another structure, shape or type.
    """
    start, form = _flat(values)
    step = trace_part(lambda *each: body(_filled(form, each)), start)
    if (known := _with_known_elements(values, step.block.form, step.block)) is not None:
        return repeat(cond, body, known, limit)
    test = trace_part(lambda *each: cond(_filled(form, each)), start)
    _check_kept(start, step.block, form, "while_loop")
    state = assigned_by([test, step])
    counts = len(start), len(state), len(test.inputs)

    def program(limit: Any, *given: Any) -> tuple[list[Any], list[Any]]:
        values, states, of_test, of_step = _split(given, counts)

        def goes_on(carry: Any) -> Any:
            turns, values, states = carry
            outputs, _ = test.run(of_test, values, _by_id(state, states))
            more = jnp.reshape(outputs[0], ()).astype(bool)
            return more if limit is None else more & (turns < limit)

        def turn(carry: Any) -> Any:
            turns, values, states = carry
            new, states = _turned(step, of_step, values, state, states)
            return turns + 1, _alike(new, values), states

        _, values, states = lax.while_loop(goes_on, turn, (jnp.int32(0), values, states))
        return values, states

    bound = None if limit is None else jnp.asarray(unwrap(limit))
    before = states_before([test, step], state)
    inputs = [(None, bound), *((None, x) for x in start), *before, *test.inputs, *step.inputs]
    return _filled(form, run_as_one(program, inputs, state))


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

    slices = [jax.ShapeDtypeStruct(x.shape[1:], x.dtype) for x in xs]
    step = trace_part(traced, [*start, *slices])
    if (known := _with_known_elements(first, step.block.form.part(0), step.block)) is not None:
        return over(body, known, elems, reverse)
    _check_kept(start, step.block, form, "scan", inside=0)
    state, count = step.assigned, len(start)
    counts = count, len(state), len(xs)

    def program(*given: Any) -> tuple[list[Any], list[Any]]:
        values, states, xs, taken = _split(given, counts)

        def turn(carry: Any, x: Any) -> Any:
            values, states = carry
            new, states = _turned(step, taken, [*values, *x], state, states)
            return (_alike(new[:count], values), states), list(map(jnp.asarray, new[count:]))

        length = None if xs else 0
        first = values, states
        (values, states), ys = lax.scan(turn, first, xs, length=length, reverse=reverse)
        return [*values, *ys], states

    before = states_before([step], state)
    inputs = [*((None, x) for x in start), *before, *((None, x) for x in xs), *step.inputs]
    results = run_as_one(program, inputs, state)
    return _filled(form, results[:count]), y_forms[0].fill(results[count:], lambda x: x)


def _turned(
    step: Part,
    taken: Sequence[Any],
    arrays: Sequence[Any],
    state: list[Variable],
    states: list[Any],
) -> tuple[list[Any], list[Any]]:
    """Return what a turn returns, and the values of the variables of `state` behind it."""
    before = _by_id(state, states)
    outputs, new = step.run(taken, arrays, before)
    return outputs, _alike([new.get(key, x) for key, x in before.items()], states)


def _split(given: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    """Return groups of so many values, and one of what is left."""
    following = iter(given)
    return [*(list(itertools.islice(following, count)) for count in counts), list(following)]


def _by_id(variables: list[Variable], values: Sequence[Any]) -> dict[int, Any]:
    return {id(v): x for v, x in zip(variables, values, strict=True)}


def _flat(values: Any) -> tuple[list[Any], Form]:
    flat, form = flat_outputs(values)
    return list(map(jnp.asarray, flat)), form


def _filled(form: Form, tensors: Sequence[Any]) -> Any:
    return form.fill(list(tensors), lambda x: x)


def _alike(new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    """Return the values as arrays of the types that they had; only Python numbers have another."""
    return [lax.convert_element_type(x, y.dtype) for x, y in zip(new, old, strict=True)]


def _with_known_elements(values: Any, after: Form, step: Block) -> Any:
    """Return the values with arrays of zeros in the places of TensorArrays to which the body alone gives a shape.

    None where there is none.
    """
    return with_elements_of(values, after.fill(step.types()[: after.count], lambda x: x))


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
