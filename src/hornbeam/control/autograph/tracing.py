"""Parts of a program: branches and bodies, each traced once, as pure functions that know what they read and assign."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from hornbeam.core import recording, scope
from hornbeam.core.jax_typed import ClosedJaxpr, eval_jaxpr, make_jaxpr
from hornbeam.core.scope import StateScope
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

    jaxpr: ClosedJaxpr
    offered: list[Variable]
    """The variables whose values are the first inputs of `jaxpr`."""
    assigned: list[Variable]
    """The variables that the part assigns: their values are the last outputs."""
    before: Mapping[int, Any]
    """The raw values of the variables around the part, by identity."""

    @property
    def inputs(self) -> list[tuple[Any, Any]]:
        """What it takes from outside, as boxes and raw values: tensors that it closes over, variables."""
        constants = [(Tensor(x), x) for x in self.jaxpr.consts if isinstance(x, jax.Array)]
        return constants + [(v, self.before[id(v)]) for v in self._used()]

    def run(
        self, taken: Sequence[Any], arrays: Sequence[Any], changed: Mapping[int, Any]
    ) -> tuple[list[Any], dict[int, Any]]:
        """Return the raw outputs, and the values of the assigned variables by identity.

        `taken` are values of `inputs`; `changed` has the values of variables that are others by now.
        """
        following = iter(taken)
        constants = [next(following) if isinstance(x, jax.Array) else x for x in self.jaxpr.consts]
        values = dict(self.before)
        values.update((id(v), next(following)) for v in self._used())
        values.update(changed)
        given = [values[id(v)] for v in self.offered]
        outputs = eval_jaxpr(self.jaxpr.jaxpr, constants, *given, *arrays)
        count = len(outputs) - len(self.assigned)
        new = zip(self.assigned, outputs[count:], strict=True)
        return outputs[:count], {id(v): x for v, x in new}

    def _used(self) -> list[Variable]:
        """Return the variables that the part reads."""
        jaxpr = self.jaxpr.jaxpr
        used = {id(atom) for each in jaxpr.eqns for atom in each.invars} | set(
            map(id, jaxpr.outvars)
        )
        offered = zip(self.offered, jaxpr.invars, strict=False)
        return [variable for variable, atom in offered if id(atom) in used]


def trace(fn: Callable[..., Sequence[Tensor]], arrays: Sequence[Any]) -> Part:
    """Run `fn` once, on tensors that stand for `arrays`, as a part of the program that is being traced.

    All variables are offered as inputs: a loop changes them between its turns, and an array alone does not tell whether
    it was read as a variable's value or as that of a tensor from outside.
    """
    known = [(v, x) for v in scope.living() if (x := scope.peek(v)) is not None]
    offered = [v for v, _ in known]
    assigned: list[Variable] = []

    def pure(values: Sequence[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        pairs = zip(offered, values, strict=True)
        with StateScope(pairs) as opened, recording.paused():
            outputs = [tensor._value for tensor in fn(*map(Tensor, arrays))]
        assigned[:] = [v for v, _ in opened.updates]
        return outputs, [x for _, x in opened.updates]

    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for _, x in known]
    jaxpr = make_jaxpr(pure)(shapes, list(arrays))
    before = {id(v): x for v, x in known}
    before.update((id(v), v._value) for v in assigned if id(v) not in before)
    return Part(jaxpr, offered, assigned, before)


def run(
    fn: Callable[..., tuple[list[Any], list[Any]]],
    inputs: Iterable[tuple[Any, Any]],
    assigned: Sequence[Variable],
) -> list[Tensor]:
    """Return the outputs of a pure function of `inputs`, and assign the values that it returns beside them.

    Tapes are told of it as of one computation.
    """
    boxes, values = map(list, zip(*inputs, strict=True)) if (inputs := list(inputs)) else ([], [])
    outputs, new = fn(*values)
    tensors, states = list(map(Tensor, outputs)), list(map(Tensor, new))
    if recording.is_recording():
        _, tree = jax.tree.flatten((tuple(values), {}))
        call = recording.Call(lambda *raw: [*(r := fn(*raw))[0], *r[1]], tree, boxes, values)
        recording.note(call, [*tensors, *states])
    for variable, state in zip(assigned, states, strict=True):
        scope.assign(variable, unwrap(state))
    return tensors
