"""Adagrad."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot, Slots


def adagrad(
    gradient: jax.Array, value: jax.Array, slots: Slots, rate: jax.Array, epsilon: float
) -> tuple[jax.Array, Slots]:
    """Take one step of Adagrad."""
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

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        slots = (Slot("accumulator", self.initial_accumulator_value),)
        return Rule(adagrad, slots, (("epsilon", self.epsilon),))


registry.add(Adagrad)
