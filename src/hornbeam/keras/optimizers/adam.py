"""Adam, and AdamW, which is Adam with weight decay by default."""

from __future__ import annotations

import math
from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot
from hornbeam.kernels import updates


def complement(beta: float, step: jax.Array) -> jax.Array:
    """Return 1 - beta^step in float32, without the loss of digits that the subtraction would bring."""
    exponent = math.log(beta) if beta > 0 else -math.inf
    return -jnp.expm1(exponent * step.astype(jnp.float32))


def adam_scalars(
    rate: jax.Array, step: jax.Array, beta_1: float, beta_2: float, epsilon: float
) -> Scalars:
    """Return the learning rate with the corrections of the bias."""
    del epsilon
    return {"rate": updates.adam_rate(rate, step, beta_1, beta_2)}


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

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        slots = [Slot("momentum"), Slot("velocity")]
        if self.amsgrad:
            slots.append(Slot("velocity_hat", apart=True))
        constants = ("beta_1", self.beta_1), ("beta_2", self.beta_2), ("epsilon", self.epsilon)
        return Rule(updates.adam, tuple(slots), constants, adam_scalars)


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
