"""Parts of a program: branches and bodies, each traced once, as pure functions that know what they read and assign.

`tf.cond`, `tf.while_loop` and their kin are made of them, and so is what AutoGraph makes of `if`, `for` and `while`.
"""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax

from hornbeam.control.gradients import kept
from hornbeam.core import block, recording, scope
from hornbeam.core.block import Block
from hornbeam.core.op import wrap
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable


class _Local(threading.local):
    is_for_tapes = False


_local = _Local()


@contextmanager
def for_tapes() -> Generator[None]:
    """Let what is traced within the context have gradients, where that takes another program."""
    saved, _local.is_for_tapes = _local.is_for_tapes, True
    try:
        yield
    finally:
        _local.is_for_tapes = saved


def wants_gradients() -> bool:
    """Return whether a tape listens, or will listen to the program that is being traced."""
    return _local.is_for_tapes or recording.is_recording()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A traced part: what it computes of its arrays and of the variables."""

    block: Block
    before: Mapping[int, Any]
    """The raw values of the variables around the part, by identity."""

    @property
    def assigned(self) -> list[Variable]:
        """The variables that the part assigns."""
        return self.block.assigned

    @property
    def inputs(self) -> list[tuple[Any, Any]]:
        """What it takes from outside, see `run_as_one`: the values that it closes over, and variables."""
        constants = [(None, x) for x in self.block.jaxpr.consts if isinstance(x, jax.Array)]
        return constants + [(v, self.before[id(v)]) for v in self.block.reading]

    def run(
        self, taken: Sequence[Any], arrays: Sequence[Any], changed: Mapping[int, Any]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Return the raw outputs, and the values of the assigned variables by identity.

        `taken` are values of `inputs`; `changed` has the values of variables that are others by now.
        """
        following = iter(taken)
        constants = [
            next(following) if isinstance(x, jax.Array) else x for x in self.block.jaxpr.consts
        ]
        values = [changed.get(id(v), next(following)) for v in self.block.reading]
        outputs, new = self.block.run_on(constants, values, arrays)
        return outputs, {id(v): x for v, x in zip(self.assigned, new, strict=True)}


def trace_part(fn: Callable[..., Any], arrays: Sequence[Any]) -> Part:
    """Run `fn` once, on tensors that stand for `arrays`, as a part of the program that is being traced.

    All variables are offered as inputs: a loop changes them between its turns, and an array alone does not tell whether
    it was read as a variable's value or as that of a tensor from outside.
    """
    known = [(v, x) for v in scope.living() if (x := scope.peek(v)) is not None]
    made = block.inner(kept(fn), arrays, [v for v, _ in known])
    before = {id(v): x for v, x in known}
    before.update((id(v), v._value) for v in made.assigned if id(v) not in before)
    return Part(made, before)


def assigned_by(parts: Iterable[Part]) -> list[Variable]:
    """Return the variables that any of the parts assigns."""
    return list({id(v): v for part in parts for v in part.assigned}.values())


def states_before(parts: Iterable[Part], assigned: Iterable[Variable]) -> list[tuple[Any, Any]]:
    """Return variables that the parts assign with their raw values around the parts, as inputs."""
    before = {key: raw for part in parts for key, raw in part.before.items()}
    return [(v, before[id(v)]) for v in assigned]


def run_as_one(
    fn: Callable[..., tuple[list[Any], list[Any]]],
    inputs: Iterable[tuple[Any, Any]],
    assigned: Sequence[Variable],
) -> list[Tensor]:
    """Return the outputs of a pure function of `inputs`, and assign the values that it returns beside them.

    `inputs` are raw values, each behind the variable that has it, or another box or None. Tapes are told of it as of one
    computation; they know tensors by their raw values.
    """
    inputs = list(inputs)

    def program(*values: Any) -> list[Any]:
        outputs, new = fn(*values)
        return [*outputs, *new]

    raws = [raw for _, raw in inputs]
    results = list(map(wrap, program(*raws)))
    if recording.is_recording():
        for box, _ in inputs:
            if isinstance(box, Variable):
                box.note_read(scope.read(box))
        leaves, tree = jax.tree.flatten((tuple(raws), {}))
        recording.note(recording.Call(program, tree, list(map(wrap, leaves)), leaves), results)
    count = len(results) - len(assigned)
    for variable, state in zip(assigned, results[count:], strict=True):
        scope.assign(variable, unwrap(state))
    return results[:count]
