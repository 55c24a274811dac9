"""FTRL."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot, Slots


def ftrl(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    power: float,
    l1: float,
    l2: float,
    shrinkage: float,
    beta: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of FTRL; `power` is that of the accumulator in the learning rate, at most 0."""
    old, linear = slots["accumulator"], slots["linear"]
    total = old + jnp.square(gradient)
    sigma = (jnp.power(total, -power) - jnp.power(old, -power)) / rate
    linear = linear + gradient + 2 * shrinkage * value - sigma * value
    curvature = jnp.power(total, -power) / rate + 2 * (l2 + beta / (2 * rate))
    value = (jnp.clip(linear, -l1, l1) - linear) / curvature
    return value, {"accumulator": total, "linear": linear}


class Ftrl(Optimizer):
    """Follow the regularised leader: for wide, shallow models, whose weights become exactly 0 with l1.

    n <- n + g^2, sigma = (n^-p - n_old^-p) / learning_rate, z <- z + g - sigma * w,
    w <- 0 where |z| <= l1, else (sign(z) l1 - z) / ((beta + n^-p) / learning_rate + 2 l2), p = learning_rate_power.
    `l2_shrinkage_regularization_strength` adds 2 * shrinkage * w to the gradient in z. Source: McMahan et al., 2013, "Ad
    click prediction: a view from the trenches".

    >>> from hornbeam import keras
    >>> weight = keras.Variable([0.0])
    >>> keras.optimizers.Ftrl(0.5, initial_accumulator_value=0.0).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([-0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        """Raises ValueError for a learning_rate_power > 0 and for other arguments < 0."""
        super().__init__(learning_rate, **kwargs)
        if learning_rate_power > 0:
            raise ValueError(
                f"`learning_rate_power` must be <= 0; received {learning_rate_power!r}."
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for name in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must be >= 0; received {getattr(self, name)!r}.")

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        constants = {
            "power": self.learning_rate_power,
            "l1": self.l1_regularization_strength,
            "l2": self.l2_regularization_strength,
            "shrinkage": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
        slots = Slot("accumulator", self.initial_accumulator_value), Slot("linear")
        return Rule(ftrl, slots, tuple(constants.items()))


registry.add(Ftrl)
