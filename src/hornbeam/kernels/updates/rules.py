"""The formulas of optimizers: new value and slots of one variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

Slots = dict[str, jax.Array]


@dataclass(frozen=True)
class UpdateRule:
    """A formula `(gradient, value, slots, rate, **constants) -> (value, slots)` and its kernel's name."""

    name: str
    formula: Callable[..., tuple[jax.Array, Slots]]
    slots: tuple[str, ...]
    constants: tuple[tuple[str, float], ...]

    def __call__(
        self, gradient: jax.Array, value: jax.Array, slots: Slots, rate: jax.Array
    ) -> tuple[jax.Array, Slots]:
        """Return new value and slots of one variable."""
        return self.formula(gradient, value, slots, rate, **dict(self.constants))


def sgd(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    momentum: float,
    nesterov: bool,
) -> tuple[jax.Array, Slots]:
    """Take value - rate * gradient; with a "momentum" slot m: m <- momentum * m - rate * gradient, added to the value."""
    move = -rate * gradient
    if "momentum" not in slots:
        return value + move, slots
    speed = momentum * slots["momentum"] + move
    value = value + (momentum * speed + move if nesterov else speed)
    return value, {"momentum": speed}


def adam(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Adam; with a "velocity_hat" slot, of its AMSGrad variant. The rate is that of `adam_rate`."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    new = {"momentum": mean, "velocity": square}
    if "velocity_hat" in slots:
        new["velocity_hat"] = square = jnp.maximum(slots["velocity_hat"], square)
    return value - mean * rate.astype(value.dtype) / (jnp.sqrt(square) + epsilon), new


def adam_rate(rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float) -> jax.Array:
    """Return the learning rate with both corrections of the bias in it, as at the end of the paper's section 2."""
    # The subtractions cancel digits (6e-6 of the first steps for beta_2 = 0.999), which `complement` of the optimizers
    # would keep; Keras has them so, and users compare.
    step = step.astype(jnp.float32)
    powers = jnp.power(jnp.float32(beta_1), step), jnp.power(jnp.float32(beta_2), step)
    return rate * jnp.sqrt(1 - powers[1]) / (1 - powers[0])


def rmsprop(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    rho: float,
    momentum: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """Take one step; centred with an "average_gradient" slot, and with momentum with a "momentum" slot."""
    new = {"velocity": rho * slots["velocity"] + (1 - rho) * jnp.square(gradient)}
    variance = new["velocity"] + epsilon
    if "average_gradient" in slots:
        mean = rho * slots["average_gradient"] + (1 - rho) * gradient
        new["average_gradient"] = mean
        variance = variance - jnp.square(mean)
    move = rate * gradient * jax.lax.rsqrt(variance)
    if "momentum" in slots:
        new["momentum"] = move = momentum * slots["momentum"] + move
    return value - move, new


def decayed(value: jax.Array, share: jax.Array) -> jax.Array:
    """Return what is left of a value that loses a share of itself."""
    return value - value * share
