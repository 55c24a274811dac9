"""Adamax."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot, Slots


def adamax(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Adamax."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    norm = jnp.maximum(beta_2 * slots["norm"], jnp.abs(gradient))
    value = value - rate.astype(value.dtype) * mean / (norm + epsilon)
    return value, {"momentum": mean, "norm": norm}


def adamax_scalars(
    rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float, epsilon: float
) -> Scalars:
    """Return the learning rate with the correction of the mean's bias."""
    del beta_2, epsilon
    return {"rate": rate / complement(beta_1, step)}


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of the mean square: u <- max(beta_2 u, |g|).

    Source: Kingma and Ba, 2014, arXiv:1412.6980, section 7.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Adamax(0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
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
        return Rule(adamax, (Slot("momentum"), Slot("norm")), constants, adamax_scalars)


registry.add(Adamax)
