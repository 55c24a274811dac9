"""Gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
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

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the state for these variables; does nothing if that has been done."""
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            self.add_slots("momentum")

    def rule(self) -> updates.Rule:
        """The formula for one variable, and the kernel for it."""
        slots = ("momentum",) if self.momentum else ()
        constants = ("momentum", self.momentum), ("nesterov", self.nesterov)
        return updates.Rule("sgd", updates.sgd, slots, constants)


registry.add(SGD)
