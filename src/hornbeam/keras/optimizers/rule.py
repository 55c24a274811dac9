"""The rule of an optimizer as data: its slots, its formula and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax

from hornbeam.core.variable import Variable
from hornbeam.kernels import updates

Slots = updates.Slots
Scalars: TypeAlias = dict[str, jax.Array]
Formula: TypeAlias = Callable[..., tuple[jax.Array, Slots]]

# The formulas that have a native kernel, and what it is called.
_KERNELS: dict[Formula, str] = {
    updates.sgd: "sgd",
    updates.adam: "adam",
    updates.rmsprop: "rmsprop",
}


class Slot(NamedTuple):
    """A variable beside each trainable one, filled with `first`; with the variable's own value where that is None.

    An optimizer's file holds the slots of the first variable, then those of the second, and so on. Those that stand
    `apart` follow behind, from the first variable to the last. `shape` makes the slot's shape of the variable's, None where
    the variable has no such slot.
    """

    name: str
    first: float | None = 0.0
    apart: bool = False
    shape: Callable[[tuple[int, ...]], tuple[int, ...] | None] | None = None


def rate_alone(rate: jax.Array, step: jax.Array, **constants: float) -> Scalars:
    """Return the scalars of a formula that takes the learning rate only."""
    del step, constants
    return {"rate": rate}


@dataclass(frozen=True)
class Rule:
    """How an optimizer changes one variable, from raw arrays.

    - `formula`: `(gradient, value, slots, **scalars, **constants) -> (value, slots)`, slots by name
    - `slots`: what the formula keeps for each variable
    - `constants`: hyperparameters, pairs of name and value
    - `scalars`: `(rate, step, **shared, **constants) -> scalars`, the numbers of a step; steps count from 1
    - `shared`: variables that all trainable ones share, and `advance`: `(step, **shared, **constants) -> shared`, called
      once before each step

    A rule is hashable: functions belong to modules, they are no closures.
    """

    formula: Formula
    slots: tuple[Slot, ...] = ()
    constants: tuple[tuple[str, Any], ...] = ()
    scalars: Callable[..., Scalars] = rate_alone
    shared: tuple[Slot, ...] = ()
    advance: Callable[..., Scalars] | None = None

    def slots_of(self, shape: tuple[int, ...]) -> tuple[Slot, ...]:
        """Return the slots that a variable of a shape has."""
        return tuple(s for s in self.slots if s.shape is None or s.shape(shape) is not None)

    @property
    def slot_groups(self) -> list[list[Slot]]:
        """Return the slots in groups: the variables of a group are made variable by variable."""
        groups: list[list[Slot]] = [[]]
        for slot in self.slots:
            if slot.apart and groups[-1]:
                groups.append([])
            groups[-1].append(slot)
        return [group for group in groups if group]

    @property
    def kernel(self) -> updates.UpdateRule | None:
        """Return the native kernel of the formula; None where there is none."""
        name = _KERNELS.get(self.formula)
        if name is None:
            return None
        slots = tuple(slot.name for slot in self.slots)
        return updates.UpdateRule(name, self.formula, slots, self.constants)

    def scalars_at(self, rate: jax.Array, step: jax.Array, shared: Scalars) -> Scalars:
        """Return the numbers that the formula takes at a step."""
        return self.scalars(rate, step, **shared, **dict(self.constants))

    def __call__(
        self, gradient: jax.Array, value: jax.Array, slots: Slots, scalars: Scalars
    ) -> tuple[jax.Array, Slots]:
        """Return the new value and slots of one variable."""
        return self.formula(gradient, value, slots, **scalars, **dict(self.constants))


class Part(NamedTuple):
    """Variables that change by one rule, and how much of themselves they lose besides."""

    rule: Rule | None
    weight_decay: float | None
    variables: Sequence[Variable]
