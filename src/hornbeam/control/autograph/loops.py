"""Loops over tensors: one turn is traced, and the program repeats it.

A known number of turns is a `scan`, which has gradients; a loop that ends by a condition is a `while_loop`.
"""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from hornbeam.control.autograph.branches import scalar
from hornbeam.control.autograph.places import UNDEFINED, text_of
from hornbeam.control.autograph.turns import Loop, NoneAtFirst, Turn, trace_turn
from hornbeam.control.parts import run_as_one, wants_gradients
from hornbeam.core.jax_typed import cond, scan, while_loop
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import NumpyArray
from hornbeam.tensors.ranges import TracedRange
from hornbeam.tensors.value_checks import check_unless

Program: TypeAlias = Callable[..., tuple[list[Any], list[Any]]]


def repeat(loop: Loop, goes_on: Any) -> None:
    """Run turns as long as the condition holds, which is `goes_on` at first."""
    try:
        turn = trace_turn(loop, [])
    except NoneAtFirst as none:
        raise none.error from None
    start = Tensor(scalar(goes_on))

    def program(condition: Any, *values: Any) -> tuple[list[Any], list[Any]]:
        taken, state = _apart(turn, values)

        def body(carry: Any) -> Any:
            state, goes_on = turn.run(taken, carry[1], [])
            return goes_on, state

        _, state = while_loop(lambda carry: carry[0], body, (condition, state))
        return _split(turn, state)

    _finish(loop, turn, program, [start])
    _require_a_turn(loop, turn, start)


def over_rows(loop: Loop, rows: Tensor) -> None:
    """Run a turn for each row of a tensor."""
    raw = rows._value
    if raw.ndim == 0:
        raise TypeError(f"Cannot iterate over a scalar tensor {loop.where}.")
    length = raw.shape[0]
    if length == 0:
        return
    try:
        turn = trace_turn(loop, [jax.ShapeDtypeStruct(raw.shape[1:], raw.dtype)])
    except NoneAtFirst as none:
        if loop.goes_on is not None:
            raise none.error from None
        _run_first(loop, none.turn, rows)
        over_rows(loop, rows[1:])
        return
    if not turn.has_condition or wants_gradients():
        _finish(loop, turn, _scanned(turn), [rows])
    else:
        program = _counted(turn, lambda given, i: given[0][i])
        _finish(loop, turn, program, [Tensor(jnp.int32(length)), rows])


def over_range(loop: Loop, items: TracedRange) -> None:
    """Run a turn for each number of a range whose bounds the program computes."""
    try:
        turn = trace_turn(loop, [jax.ShapeDtypeStruct((), items.dtype)])
    except NoneAtFirst as none:
        raise none.error from None
    program = _counted(turn, lambda given, i: given[0] + i.astype(items.dtype) * given[1])
    _finish(loop, turn, program, list(map(Tensor, (items.length, items.start, items.delta))))
    _require_a_turn(loop, turn, Tensor(items.length > 0))


def _scanned(turn: Turn) -> Program:
    """Return a program of as many turns as there are rows; those after the last one that goes on do nothing."""

    def program(rows: Any, *values: Any) -> tuple[list[Any], list[Any]]:
        taken, state = _apart(turn, values)

        def run(carry: Any, item: Any) -> Any:
            state, goes_on = turn.run(taken, carry[1], [item])
            return goes_on, state

        def step(carry: Any, item: Any) -> Any:
            if not turn.has_condition:
                return run(carry, item), None
            return cond(carry[0], lambda: run(carry, item), lambda: carry), None

        (_, state), _ = scan(step, (jnp.bool_(True), state), rows)
        return _split(turn, state)

    return program


def _counted(turn: Turn, item_of: Callable[[Sequence[Any], Any], Any]) -> Program:
    """Return a program of a number of turns that it is given, or fewer, where the condition fails."""

    def program(turns: Any, *values: Any) -> tuple[list[Any], list[Any]]:
        count = len(values) - len(turn.part.inputs) - len(turn.start)
        given, (taken, state) = values[:count], _apart(turn, values[count:])

        def body(carry: Any) -> Any:
            i, _, state = carry
            state, goes_on = turn.run(taken, state, [item_of(given, i)])
            return i + 1, goes_on, state

        start = jnp.zeros_like(turns), jnp.bool_(True), state
        _, _, state = while_loop(lambda carry: (carry[0] < turns) & carry[1], body, start)
        return _split(turn, state)

    return program


def _run_first(loop: Loop, turn: Turn, rows: Tensor) -> None:
    """Run the first turn by itself, in which a name is None that is a tensor later."""
    counts = len(turn.part.inputs), len(turn.given)

    def program(rows: Any, *values: Any) -> tuple[list[Any], list[Any]]:
        taken, values = values[: counts[0]], values[counts[0] :]
        given, variables = values[: counts[1]], values[counts[1] :]
        arrays, new, _ = turn.run_first(taken, given, variables, [rows[0]])
        return arrays, new

    given = [(tensor, tensor._value) for tensor in turn.given]
    inputs = [(rows, rows._value), *turn.part.inputs, *given, *turn.states]
    _assign(loop, turn, run_as_one(program, inputs, turn.part.assigned))


def _apart(turn: Turn, values: Sequence[Any]) -> tuple[Sequence[Any], list[Any]]:
    """Return the values of the turn's inputs, and the first state."""
    count = len(turn.part.inputs)
    return values[:count], list(values[count:])


def _split(turn: Turn, state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    count = len(turn.slots)
    return list(state[:count]), list(state[count:])


def _finish(loop: Loop, turn: Turn, program: Program, given: Sequence[Tensor]) -> None:
    """Run a loop's program, and assign what the names hold behind it."""
    inputs = [*((each, each._value) for each in given), *turn.part.inputs, *turn.start]
    _assign(loop, turn, run_as_one(program, inputs, turn.part.assigned))


def _require_a_turn(loop: Loop, turn: Turn, ran: Tensor) -> None:
    """Let the program fail where there was no turn and a name that only a turn defines is read behind the loop."""
    if not turn.late:
        return
    names = ", ".join(text_of(name) for name in turn.late)

    def test(ran: NumpyArray) -> str | None:
        if ran.all():
            return None
        return (
            f"assertion failed: [loop must iterate at least once to initialize {names}] {loop.where}. Assign a first value "
            "before the loop."
        )

    check_unless(ran._value, test, ran)


def _assign(loop: Loop, turn: Turn, tensors: Sequence[Tensor]) -> None:
    loop.places.restore(dict.fromkeys(loop.places.names, UNDEFINED) | turn.values(tensors))
