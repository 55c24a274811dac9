"""RMSprop."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot
from hornbeam.kernels import updates


class RMSprop(Optimizer):
    """Gradients divided by the root of the running mean of their squares.

    v <- rho v + (1 - rho) g^2, w <- w - learning_rate * g / sqrt(v + epsilon). `centered` takes the running variance of
    gradients in place of v; `momentum` > 0 lets steps build up. Source: Tieleman and Hinton, 2012, lecture 6.5.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.RMSprop(0.5, rho=0.0).apply([keras.ops.array([3.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        slots = [Slot("velocity")]
        if self.momentum > 0:
            slots.append(Slot("momentum", apart=True))
        if self.centered:
            slots.append(Slot("average_gradient", apart=True))
        constants = ("rho", self.rho), ("momentum", self.momentum), ("epsilon", self.epsilon)
        return Rule(updates.rmsprop, tuple(slots), constants)


registry.add(RMSprop, "rmsprop")
