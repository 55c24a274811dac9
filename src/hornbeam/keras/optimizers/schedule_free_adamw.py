"""AdamW without a schedule of learning rates."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot, Slots


def schedule_free_scalars(
    rate: jax.Array,
    step: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    warmup_steps: int,
) -> Scalars:
    """Return the learning rate, smaller in the first steps, the divisor of the mean square, and the share of a new point."""
    del beta_1, epsilon
    count = step.astype(jnp.float32)
    warmth = jnp.minimum(count / warmup_steps, 1.0) if warmup_steps > 0 else 1.0
    return {"rate": rate * warmth, "of_square": complement(beta_2, step), "share": 1 / count}


def schedule_free_adamw(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    of_square: jax.Array,
    share: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    warmup_steps: int,
) -> tuple[jax.Array, Slots]:
    """Take one step of schedule-free AdamW."""
    del warmup_steps  # `rate` is made of it
    dtype = value.dtype
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    root = jnp.sqrt(square / of_square.astype(dtype)) + epsilon
    average = (value - (1 - beta_1) * slots["momentum"]) / beta_1
    point = slots["momentum"] - rate.astype(dtype) * gradient / root
    new_share = share.astype(dtype)
    average = (1 - new_share) * average + new_share * point
    value = (1 - beta_1) * point + beta_1 * average
    return value, {"momentum": point, "velocity": square}


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose weights come to rest by averaging, so that nobody has to say when training ends.

    z <- z - learning_rate * g / (sqrt(v / (1 - beta_2^t)) + epsilon), x <- (1 - 1/t) x + z / t,
    w = (1 - beta_1) z + beta_1 x

    Gradients are taken at the weights w. z begins at the weights and is kept as the slot "momentum"; the mean x of all z
    follows from both. Over the first `warmup_steps` steps the learning rate grows linearly. `beta_1` must not be 0.
    Source: Defazio et al., 2024, arXiv:2405.15682.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.ScheduleFreeAdamW(0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        names = "beta_1", "beta_2", "epsilon", "warmup_steps"
        constants = tuple((name, getattr(self, name)) for name in names)
        slots = Slot("momentum", first=None), Slot("velocity")
        return Rule(schedule_free_adamw, slots, constants, schedule_free_scalars)


registry.add(ScheduleFreeAdamW, "schedulefreeadamw")
