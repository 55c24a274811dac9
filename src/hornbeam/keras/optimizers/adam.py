"""Adam, and AdamW, which is Adam with weight decay by default."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def adam(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    step: jax.Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[jax.Array, Slots]:
    """One step of Adam; with a "velocity_hat" slot, of its AMSGrad variant."""
    mean = slots["momentum"] + (gradient - slots["momentum"]) * (1 - beta_1)
    square = slots["velocity"] + (jnp.square(gradient) - slots["velocity"]) * (1 - beta_2)
    new = {"momentum": mean, "velocity": square}
    if "velocity_hat" in slots:
        new["velocity_hat"] = square = jnp.maximum(slots["velocity_hat"], square)
    # Both corrections of the bias in one factor, as at the end of the paper's section 2. The subtractions cancel digits
    # (6e-6 of the first steps for beta_2 = 0.999), which `complement` would keep; Keras has them so, and users compare.
    step = step.astype(jnp.float32)
    powers = jnp.power(jnp.float32(beta_1), step), jnp.power(jnp.float32(beta_2), step)
    scale = rate * jnp.sqrt(1 - powers[1]) / (1 - powers[0])
    return value - mean * scale.astype(value.dtype) / (jnp.sqrt(square) + epsilon), new


def complement(beta: float, step: jax.Array) -> jax.Array:
    """1 - beta^step in float32, without the digits that the subtraction would cancel."""
    exponent = math.log(beta) if beta > 0 else -math.inf
    return -jnp.expm1(exponent * step.astype(jnp.float32))


class Adam(Optimizer):
    """Steps along the running mean of gradients, divided by the root of the running mean of their squares.

    m <- beta_1 m + (1 - beta_1) g, v <- beta_2 v + (1 - beta_2) g^2,
    w <- w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    `epsilon` is the paper's "epsilon hat". `amsgrad` divides by the largest v so far. Sources: Kingma and Ba, 2014,
    arXiv:1412.6980; Reddi et al., 2018, "On the convergence of Adam and beyond".

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.Adam(learning_rate=0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("momentum", "velocity")
        if self.amsgrad:
            self.add_slots("velocity_hat")

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
        return adam(gradient, value, slots, learning_rate, step, *betas, self.epsilon)


class AdamW(Adam):
    """`Adam` whose weights also shrink by learning_rate * weight_decay at each update.

    Source: Loshchilov and Hutter, 2019, arXiv:1711.05101.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.AdamW(0.5, weight_decay=0.5).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.25], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        """Raises ValueError for `weight_decay` None."""
        if weight_decay is None:
            raise ValueError(
                "AdamW needs a number as `weight_decay`; received None. Use Adam to go without."
            )
        kwargs["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)


registry.add(Adam)
registry.add(AdamW, "adamw")
