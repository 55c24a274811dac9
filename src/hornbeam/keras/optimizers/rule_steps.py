"""One step of a rule over many variables: by its kernel where that pays, by its formula elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.rule import Rule, Scalars
from hornbeam.kernels import updates


@dataclass(frozen=True)
class Moment:
    """The numbers that all variables share in a step, which counts from 1."""

    learning_rate: jax.Array
    step: jax.Array
    weight_decay: float
    shared: Scalars


@dataclass(frozen=True)
class Target:
    """A variable to update: its gradient, its slots by name, and whether it decays."""

    gradient: jax.Array
    variable: Variable
    slots: dict[str, Variable]
    decays: bool

    def arrays(self) -> tuple[jax.Array, jax.Array, updates.Slots]:
        """Return the gradient, and the values of the variable and of its slots."""
        slots = {name: scope.read(slot) for name, slot in self.slots.items()}
        return self.gradient, scope.read(self.variable), slots

    def assign(self, value: jax.Array, slots: updates.Slots) -> None:
        """Set the variable and its slots."""
        self.variable.assign(Tensor(value))
        for name, new in slots.items():
            self.slots[name].assign(Tensor(new))


def advance(rule: Rule, step: jax.Array, shared: dict[str, Variable]) -> None:
    """Move the variables that all trainable ones share on to this step."""
    if rule.advance is not None:
        old = {name: scope.read(each) for name, each in shared.items()}
        for name, value in rule.advance(step, **old, **dict(rule.constants)).items():
            shared[name].assign(Tensor(value))


def update(rule: Rule, moment: Moment, targets: Sequence[Target]) -> None:
    """Decay and update variables."""
    kernel = rule.kernel
    if kernel is None or not updates.pays(sum(each.gradient.size for each in targets)):
        together, alone = [], list(targets)
    else:
        together = [each for each in targets if _suits(kernel, each)]
        alone = [each for each in targets if not _suits(kernel, each)]
    if kernel is not None and together:
        _update_by_kernel(rule, kernel, moment, together)
    decay(moment, alone)
    for each in alone:
        update_one(rule, moment, each)


def _suits(kernel: updates.UpdateRule, target: Target) -> bool:
    gradient, value, slots = target.arrays()
    return tuple(slots) == kernel.slots and updates.suits(kernel, gradient, value, *slots.values())


def _update_by_kernel(
    rule: Rule, kernel: updates.UpdateRule, moment: Moment, targets: Sequence[Target]
) -> None:
    rate = moment.learning_rate.astype(jnp.float32)
    gradients, values, slots = zip(*(each.arrays() for each in targets), strict=True)
    new_values, new_slots = updates.update_all(
        kernel,
        rule.scalars_at(rate, moment.step, moment.shared)["rate"],
        rate * moment.weight_decay,
        [each.decays for each in targets],
        gradients,
        values,
        slots,
    )
    for each, value, new in zip(targets, new_values, new_slots, strict=True):
        each.assign(value, new)


def decay(moment: Moment, targets: Sequence[Target]) -> None:
    """Let the variables that decay lose learning_rate * weight_decay of themselves."""
    for each in targets:
        if each.decays:
            value = scope.read(each.variable)
            share = (moment.learning_rate * moment.weight_decay).astype(value.dtype)
            each.variable.assign(Tensor(updates.decayed(value, share)))


def update_one(rule: Rule, moment: Moment, target: Target) -> None:
    """Update one variable and its slots by the formula."""
    gradient, value, slots = target.arrays()
    rate = moment.learning_rate.astype(value.dtype)
    scalars = rule.scalars_at(rate, moment.step, moment.shared)
    target.assign(*rule(gradient, value, slots, scalars))
