"""Parts of a program: branches and bodies, each traced once, as pure functions that know what they read and assign."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from hornbeam.control.inner import finished
from hornbeam.core import scope
from hornbeam.core.block import Block, inner
from hornbeam.core.tensor import Tensor, is_traced, known_value, unwrap
from hornbeam.core.variable import Variable


def is_staged(value: object) -> bool:
    """Return whether a condition or a row is one that a program has to look at, and Python can't."""
    if isinstance(value, Variable):
        value = value.read_value()
    raw: Any = value._value if isinstance(value, Tensor) else value
    return is_traced(raw) and is_traced(known_value(raw))


def is_tensor(value: object) -> bool:
    """Return whether `value` is a tensor, variable or array of JAX."""
    return isinstance(value, (Tensor, Variable, jax.Array))


def is_tracing() -> bool:
    """Return whether a program is being traced, so that loops over tensors belong into it."""
    return scope.is_tracing()


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A traced part: what it computes of its arrays and of the variables."""

    traced: Block
    before: Mapping[int, Any]
    """The raw values of the variables around the part, by identity."""

    @property
    def assigned(self) -> list[Variable]:
        """The variables that the part assigns."""
        return self.traced.assigned

    @property
    def inputs(self) -> list[tuple[Any, Any]]:
        """What it takes from outside, as boxes and raw values: tensors that it closes over, variables."""
        constants = [(Tensor(x), x) for x in self.traced.jaxpr.consts if isinstance(x, jax.Array)]
        return constants + [(v, self.before[id(v)]) for v in self.traced.reading]

    def run(
        self, taken: Sequence[Any], arrays: Sequence[Any], changed: Mapping[int, Any]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Return the raw outputs, and the values of the assigned variables by identity.

        `taken` are values of `inputs`; `changed` has the values of variables that are others by now.
        """
        following = iter(taken)
        constants = [
            next(following) if isinstance(x, jax.Array) else x for x in self.traced.jaxpr.consts
        ]
        values = [changed.get(id(v), next(following)) for v in self.traced.reading]
        outputs, new = self.traced.run_on(constants, values, arrays)
        return outputs, {id(v): x for v, x in zip(self.assigned, new, strict=True)}


def trace(fn: Callable[..., Sequence[Tensor]], arrays: Sequence[Any]) -> Part:
    """Run `fn` once, on tensors that stand for `arrays`, as a part of the program that is being traced.

    All variables are offered as inputs: a loop changes them between its turns, and an array alone does not tell whether
    it was read as a variable's value or as that of a tensor from outside.
    """
    known = [(v, x) for v in scope.living() if (x := scope.peek(v)) is not None]
    traced = inner(fn, arrays, [v for v, _ in known])
    before = {id(v): x for v, x in known}
    before.update((id(v), v._value) for v in traced.assigned if id(v) not in before)
    return Part(traced, before)


def run(
    fn: Callable[..., tuple[list[Any], list[Any]]],
    inputs: Iterable[tuple[Any, Any]],
    assigned: Sequence[Variable],
) -> list[Tensor]:
    """Return the outputs of a pure function of `inputs`, and assign the values that it returns beside them.

    Tapes are told of it as of one computation.
    """
    inputs = list(inputs)

    def program(*values: Any) -> list[Any]:
        outputs, new = fn(*values)
        return [*outputs, *new]

    variables = [box for box, _ in inputs if isinstance(box, Variable)]
    results = finished(program, tuple(raw for _, raw in inputs), variables)
    count = len(results) - len(assigned)
    for variable, state in zip(assigned, results[count:], strict=True):
        scope.assign(variable, unwrap(state))
    return results[:count]
