"""Gradient descent, with or without momentum."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Slot
from hornbeam.kernels import updates


class SGD(Optimizer):
    """Gradient descent: w <- w - learning_rate * g.

    With momentum: m <- momentum * m - learning_rate * g, w <- w + m; with Nesterov's, which looks one step ahead,
    w <- w + momentum * m - learning_rate * g. Source: Sutskever et al., 2013.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([1.0])
    >>> keras.optimizers.SGD(learning_rate=0.5).apply([keras.ops.array([1.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        """Raises ValueError for a momentum outside [0, 1]."""
        super().__init__(learning_rate, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` lies between 0 and 1; received {momentum!r}.")
        self.momentum = momentum
        self.nesterov = nesterov

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        slots = (Slot("momentum"),) if self.momentum else ()
        constants = ("momentum", self.momentum), ("nesterov", self.nesterov)
        return Rule(updates.sgd, slots, constants)


registry.add(SGD)
