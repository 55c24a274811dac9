"""Adafactor."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from hornbeam.keras.optimizers.arguments import OptimizerArguments
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Rule, Scalars, Slot, Slots


def without_last(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of the mean over the last axis; None for fewer than two axes."""
    return shape[:-1] if len(shape) > 1 else None


def without_next_to_last(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of the mean over the last axis but one; None for fewer than two axes."""
    return (*shape[:-2], shape[-1]) if len(shape) > 1 else None


def adafactor_scalars(
    rate: jax.Array, step: jax.Array, beta_2_decay: float, **constants: float
) -> Scalars:
    """Return the learning rate, which is at most 1 / sqrt(step), and how much of the mean squares remains."""
    del constants
    count = step.astype(jnp.float32)
    return {
        "rate": jnp.minimum(rate, 1 / jnp.sqrt(count)),
        "beta_2": 1 - jnp.power(count, beta_2_decay),
    }


def adafactor(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    beta_2: jax.Array,
    beta_2_decay: float,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
) -> tuple[jax.Array, Slots]:
    """Take one step of Adafactor."""
    del beta_2_decay  # `beta_2` is made of it
    kept = beta_2.astype(value.dtype)
    square = jnp.square(gradient) + epsilon_1

    def mean(name: str, new: jax.Array) -> jax.Array:
        return kept * slots[name] + (1 - kept) * new

    if "rows" in slots:
        rows = mean("rows", jnp.mean(square, axis=-1))
        columns = mean("columns", jnp.mean(square, axis=-2))
        share = rows / jnp.mean(rows, axis=-1, keepdims=True)
        new = {"rows": rows, "columns": columns}
        new["velocity"] = share[..., None] * columns[..., None, :]
    else:
        new = {"velocity": mean("velocity", square)}
    direction = gradient / jnp.sqrt(new["velocity"])
    direction = direction / jnp.maximum(1, _root_mean_square(direction) / clip_threshold)
    size = jnp.maximum(epsilon_2, _root_mean_square(value)) * rate.astype(value.dtype)
    return value - size * direction, new


def _root_mean_square(x: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.mean(jnp.square(x)))


class Adafactor(Optimizer):
    """Adam's squares kept by rows and columns alone, for large models: their memory grows with the sides of a matrix.

    v = r c / mean(r), r and c the running means over rows and columns of g^2 + epsilon_1, of which 1 - t^beta_2_decay remains;
    u = g / sqrt(v), divided by max(1, rms(u) / clip_threshold);
    w <- w - max(epsilon_2, rms(w)) * min(learning_rate, 1 / sqrt(t)) * u

    Weights with fewer than two axes keep all of v. The rate is at most 1 / sqrt(t), with and without `relative_step`, as in
    Keras, which keeps v itself too. Source: Shazeer and Stern, 2018, arXiv:1804.04235.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([[1.0, 2.0]])
    >>> optimizer = keras.optimizers.Adafactor(0.5)
    >>> optimizer.apply([keras.ops.array([[3.0, 3.0]])], [weight])
    >>> bool((weight.numpy() < [[0.3, 1.3]]).all())
    True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Unpack[OptimizerArguments],
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def rule(self) -> Rule:
        """Return the slots, the formula and the hyperparameters."""
        names = "beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold"
        slots = (
            Slot("rows", shape=without_last),
            Slot("columns", shape=without_next_to_last),
            Slot("velocity"),
        )
        constants = tuple((name, getattr(self, name)) for name in names)
        return Rule(adafactor, slots, constants, adafactor_scalars)


registry.add(Adafactor)
