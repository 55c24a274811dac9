"""Adadelta."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot, Slots


def adadelta(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    rho: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Adadelta."""
    squares = rho * slots["accumulated_grad"] + (1 - rho) * jnp.square(gradient)
    moves = slots["accumulated_delta_var"]
    move = jnp.sqrt(moves + epsilon) / jnp.sqrt(squares + epsilon) * gradient
    moves = rho * moves + (1 - rho) * jnp.square(move)
    return value - rate * move, {"accumulated_grad": squares, "accumulated_delta_var": moves}


class Adadelta(Optimizer):
    """Gradients in units of the recent moves: rms(moves) / rms(gradients) * g, with running means of decay `rho`.

    The paper has learning_rate = 1. Source: Zeiler, 2012, arXiv:1212.5701.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Adadelta(1.0, rho=0.0, epsilon=1.0).apply([keras.ops.array([0.0])], [weight])
    >>> weight.numpy()
    array([1.], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        slots = Slot("accumulated_grad"), Slot("accumulated_delta_var")
        return Rule(adadelta, slots, (("rho", self.rho), ("epsilon", self.epsilon)))


registry.add(Adadelta)
