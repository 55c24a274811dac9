"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def adamax(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    step: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Adamax."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    norm = jnp.maximum(beta_2 * slots["norm"], jnp.abs(gradient))
    scale = (rate / complement(beta_1, step)).astype(value.dtype)
    return value - scale * mean / (norm + epsilon), {"momentum": mean, "norm": norm}


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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("momentum", "norm")

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
        return adamax(gradient, value, slots, learning_rate, step, *betas, self.epsilon)


registry.add(Adamax)
