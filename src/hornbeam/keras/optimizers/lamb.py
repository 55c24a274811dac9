"""Lamb."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def lamb(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    step: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Lamb."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    of_mean, of_square = (complement(beta, step).astype(value.dtype) for beta in (beta_1, beta_2))
    move = mean / of_mean / (jnp.sqrt(square / of_square) + epsilon)
    size, length = jnp.linalg.norm(value.ravel()), jnp.linalg.norm(move.ravel())
    trust = jnp.where((size > 0) & (length > 0), size / jnp.where(length > 0, length, 1), 1)
    return value - rate * trust * move, {"momentum": mean, "velocity": square}


class Lamb(Optimizer):
    """Adam's step, scaled per weight to the weight's own norm; for large batches.

    Source: You et al., 2019, arXiv:1904.00962.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([2.0])
    >>> keras.optimizers.Lamb(0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([1.], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("momentum", "velocity")

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule for one variable, on raw arrays."""
        betas = self.beta_1, self.beta_2
        return lamb(gradient, value, slots, learning_rate, step, *betas, self.epsilon)


registry.add(Lamb)
