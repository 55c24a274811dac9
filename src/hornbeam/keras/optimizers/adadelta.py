"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def adadelta(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    rho: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Adadelta."""
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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("accumulated_grad", "accumulated_delta_var")

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule for one variable, on raw arrays."""
        return adadelta(gradient, value, slots, learning_rate, self.rho, self.epsilon)


registry.add(Adadelta)
