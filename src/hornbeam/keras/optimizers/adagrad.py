"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.initializers import Constant
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def adagrad(
    gradient: jax.Array, value: jax.Array, slots: Slots, rate: jax.Array, epsilon: float
) -> tuple[jax.Array, Slots]:
    """One step of Adagrad."""
    total = slots["accumulator"] + jnp.square(gradient)
    return value - rate * gradient / jnp.sqrt(total + epsilon), {"accumulator": total}


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares: weights that change often move less.

    n <- n + g^2, w <- w - learning_rate * g / sqrt(n + epsilon); n starts at initial_accumulator_value.
    Source: Duchi et al., 2011.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Adagrad(0.5, initial_accumulator_value=0.0).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("accumulator", initializer=Constant(self.initial_accumulator_value))

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule for one variable, on raw arrays."""
        return adagrad(gradient, value, slots, learning_rate, self.epsilon)


registry.add(Adagrad)
