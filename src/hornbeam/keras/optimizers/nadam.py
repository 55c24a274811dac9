"""Nadam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core import scope
from hornbeam.core.tensor import Tensor, unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras.initializers import Ones
from hornbeam.keras.optimizers.adam import complement
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def nadam(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    step: jax.Array,
    product: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Nadam; `product` is that of the momentum factors of all steps up to this one."""
    now, ahead = warmed(beta_1, step), warmed(beta_1, step + 1)
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    of_mean = (ahead / (1 - product * ahead)).astype(value.dtype)
    of_gradient = ((1 - now) / (1 - product)).astype(value.dtype)
    variance = square / complement(beta_2, step).astype(value.dtype)
    move = rate * (of_mean * mean + of_gradient * gradient) / (jnp.sqrt(variance) + epsilon)
    return value - move, {"momentum": mean, "velocity": square}


def warmed(beta_1: float, step: jax.Array) -> jax.Array:
    """The momentum factor of a step: beta_1 * (1 - 0.96^step / 2), which rises to beta_1."""
    return beta_1 * (1 - 0.5 * jnp.power(jnp.float32(0.96), step.astype(jnp.float32)))


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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("momentum", "velocity")
        self._product = self.add_variable((), Ones(), name="u_product")

    def update_all(self, gradients: list[jax.Array], variables: list[Variable]) -> None:
        """Update variables, after the product of momentum factors that they share."""
        factor = warmed(self.beta_1, jnp.asarray(unwrap(self.iterations)) + 1)
        self._product.assign(Tensor(scope.read(self._product) * factor))
        super().update_all(gradients, variables)

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule for one variable, on raw arrays."""
        hyper = scope.read(self._product), self.beta_1, self.beta_2, self.epsilon
        return nadam(gradient, value, slots, learning_rate, step, *hyper)


registry.add(Nadam)
