"""Lamb."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot, Slots


def lamb(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    of_mean: jax.Array,
    of_square: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Lamb; `of_mean` and `of_square` divide the bias out of the running means."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    of_mean, of_square = of_mean.astype(value.dtype), of_square.astype(value.dtype)
    move = mean / of_mean / (jnp.sqrt(square / of_square) + epsilon)
    size, length = jnp.linalg.norm(value.ravel()), jnp.linalg.norm(move.ravel())
    trust = jnp.where((size > 0) & (length > 0), size / jnp.where(length > 0, length, 1), 1)
    return value - rate * trust * move, {"momentum": mean, "velocity": square}


def lamb_scalars(
    rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float, epsilon: float
) -> Scalars:
    """Return the learning rate and the divisors of both running means."""
    del epsilon
    of_mean, of_square = complement(beta_1, step), complement(beta_2, step)
    return {"rate": rate, "of_mean": of_mean, "of_square": of_square}


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

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        constants = ("beta_1", self.beta_1), ("beta_2", self.beta_2), ("epsilon", self.epsilon)
        return Rule(lamb, (Slot("momentum"), Slot("velocity")), constants, lamb_scalars)


registry.add(Lamb)
