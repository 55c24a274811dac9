"""Gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

import jax

from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, Slots, registry


def sgd(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    momentum: float,
    nesterov: bool,
) -> tuple[jax.Array, Slots]:
    """value - rate * gradient; with a "momentum" slot m: m <- momentum * m - rate * gradient, added to the value."""
    move = -rate * gradient
    if "momentum" not in slots:
        return value + move, slots
    speed = momentum * slots["momentum"] + move
    value = value + (momentum * speed + move if nesterov else speed)
    return value, {"momentum": speed}


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

    def update(
        self,
        gradient: jax.Array,
        value: jax.Array,
        slots: Slots,
        learning_rate: jax.Array,
        step: jax.Array,
    ) -> tuple[jax.Array, Slots]:
        """The rule for one variable, on raw arrays."""
        return sgd(gradient, value, slots, learning_rate, self.momentum, self.nesterov)


registry.add(SGD)
