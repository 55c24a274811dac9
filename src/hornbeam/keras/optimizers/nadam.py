"""Nadam."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot, Slots


def warmed(beta_1: float, step: jax.Array) -> jax.Array:
    """Return the momentum factor of a step: beta_1 * (1 - 0.96^step / 2), which rises to beta_1."""
    return beta_1 * (1 - 0.5 * jnp.power(jnp.float32(0.96), step.astype(jnp.float32)))


def product_after(beta_1: float, steps: int) -> np.ndarray:
    """Return the product of the momentum factors of the first `steps` steps."""
    early = min(max(steps, 0), 1000)  # later factors are `beta_1`
    product = np.prod(warmed(beta_1, jnp.arange(1, early + 1)))
    return np.asarray(product * beta_1 ** (max(steps, 0) - early), "float32")


def next_product(
    step: jax.Array, u_product: jax.Array, beta_1: float, beta_2: float, epsilon: float
) -> Scalars:
    """Return the product of the momentum factors of all steps up to this one."""
    del beta_2, epsilon
    return {"u_product": u_product * warmed(beta_1, step)}


def nadam_scalars(
    rate: jax.Array,
    step: jax.Array,
    u_product: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Scalars:
    """Return the learning rate, the factors of mean and gradient, and the divisor of the mean square."""
    del epsilon
    now, ahead = warmed(beta_1, step), warmed(beta_1, step + 1)
    return {
        "rate": rate,
        "of_mean": ahead / (1 - u_product * ahead),
        "of_gradient": (1 - now) / (1 - u_product),
        "of_square": complement(beta_2, step),
    }


def nadam(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    of_mean: jax.Array,
    of_gradient: jax.Array,
    of_square: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Nadam."""
    dtype = value.dtype
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    ahead = of_mean.astype(dtype) * mean + of_gradient.astype(dtype) * gradient
    variance = square / of_square.astype(dtype)
    value = value - rate * ahead / (jnp.sqrt(variance) + epsilon)
    return value, {"momentum": mean, "velocity": square}


class Nadam(Optimizer):
    """Adam with Nesterov's momentum, whose factor grows from beta_1 / 2 to beta_1.

    Source: Dozat, 2016, "Incorporating Nesterov momentum into Adam".

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Nadam(0.5).apply([keras.ops.array([3.0])], [weight])
    >>> bool(weight.numpy()[0] < 0.6)
    True
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
        return Rule(
            formula=nadam,
            slots=(Slot("momentum"), Slot("velocity")),
            constants=constants,
            scalars=nadam_scalars,
            shared=(Slot("u_product", 1.0),),
            advance=next_product,
        )


registry.add(Nadam)
