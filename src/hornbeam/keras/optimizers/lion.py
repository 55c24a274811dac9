"""Lion."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot, Slots


def lion(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    beta_1: float,
    beta_2: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Lion."""
    mean = slots["momentum"]
    value = value - rate * jnp.sign(beta_1 * mean + (1 - beta_1) * gradient)
    return value, {"momentum": beta_2 * mean + (1 - beta_2) * gradient}


class Lion(Optimizer):
    """Steps of one size in the direction of the sign of a mean gradient.

    w <- w - learning_rate * sign(beta_1 m + (1 - beta_1) g), m <- beta_2 m + (1 - beta_2) g. Learning rates are three to
    ten times smaller than AdamW's, weight decay as much larger. Source: Chen et al., 2023, arXiv:2302.06675.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Lion(0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        """Raises ValueError for beta_1 outside (0, 1]."""
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"`beta_1` of Lion lies in (0, 1]; received {beta_1!r}.")
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        constants = ("beta_1", self.beta_1), ("beta_2", self.beta_2)
        return Rule(lion, (Slot("momentum"),), constants)


registry.add(Lion)
