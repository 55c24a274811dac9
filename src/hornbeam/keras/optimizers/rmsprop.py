"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        self.add_slots("velocity")
        if self.momentum > 0:
            self.add_slots("momentum")
        if self.centered:
            self.add_slots("average_gradient")

    def rule(self) -> updates.Rule:
        """The formula for one variable, and the kernel for it."""
        constants = ("rho", self.rho), ("momentum", self.momentum), ("epsilon", self.epsilon)
        return updates.Rule("rmsprop", updates.rmsprop, tuple(self._slots), constants)


registry.add(RMSprop, "rmsprop")
