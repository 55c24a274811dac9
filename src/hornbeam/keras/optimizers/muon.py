"""Muon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.tensor import Tensor, convert_to_tensor, unwrap
from hornbeam.core.typing import TensorLike
from hornbeam.core.variable import Variable
from hornbeam.keras.optimizers.adam import adam_scalars
from hornbeam.keras.optimizers.optimizer import Optimizer, registry
from hornbeam.keras.optimizers.rule import Part, Rule, Scalars, Slot, Slots
from hornbeam.kernels import updates


def orthogonal(matrix: jax.Array, a: float, b: float, c: float, steps: int) -> jax.Array:
    """Return U S V^T with singular values S between about 0.7 and 1.2, in place of those of the matrix.

    Each step takes X to a X + (b A + c A^2) X, A = X X^T, by which singular values below 1 approach 1.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / (jnp.linalg.norm(x) + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if is_tall else x


def size_factor(shape: tuple[int, ...], rms_rate: float) -> float:
    """Return the factor by which steps of a matrix have the size of Adam's."""
    return max(shape) ** 0.5 * rms_rate


def muon(
    gradient: jax.Array,
    value: jax.Array,
    slots: Slots,
    rate: jax.Array,
    momentum: float,
    nesterov: bool,
    coefficients: tuple[float, float, float],
    ns_steps: int,
    rms_rate: float | None,
) -> tuple[jax.Array, Slots]:
    """Take one step of Muon with a matrix."""
    mean = momentum * slots["momentum"] + gradient
    direction = gradient + momentum * mean if nesterov else mean
    step = rate * orthogonal(direction, *coefficients, ns_steps)
    if rms_rate is not None:
        step = step * size_factor(value.shape, rms_rate)
    return value - step, {"momentum": mean}


@dataclass(frozen=True)
class AdamScalars:
    """Adam's scalars with `ratio` times the learning rate."""

    ratio: float

    def __call__(self, rate: jax.Array, step: jax.Array, **constants: float) -> Scalars:
        """Return the learning rate with the corrections of the bias."""
        return adam_scalars(rate * self.ratio, step, **constants)


class Muon(Optimizer):
    """Momentum for matrices, made orthogonal before each step; Adam for all other weights.

    m <- momentum * m + g, w <- w - learning_rate * sqrt(max(rows, columns)) * rms_rate * orthogonal(g + momentum * m)

    - Adam updates weights that are no matrices, those with "embedding" in their path unless `exclude_embeddings=False`, and those
      whose path a pattern of `exclude_layers` matches: name the last layer there. `adam_weight_decay` is their decay, and
      `adam_lr_ratio` multiplies the learning rate for them.
    - `muon_a`, `muon_b`, `muon_c`, `ns_steps`: coefficients and number of Newton-Schulz steps towards the orthogonal matrix.
    - `rms_rate`: None leaves out the factor with the size of the matrix; with it rates and decays are those of Adam.

    Sources: Jordan et al., 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu et al., 2025, arXiv:2502.16982.

    >>> from hornbeam import keras
    >>> weight = keras.Variable([[1.0, 0.0], [0.0, 1.0]])
    >>> optimizer = keras.optimizers.Muon(0.5, weight_decay=None, rms_rate=None)
    >>> optimizer.apply([keras.ops.array([[3.0, 0.0], [0.0, 2.0]])], [weight])
    >>> bool((abs(weight.numpy() - [[0.5, 0.0], [0.0, 0.5]]) < 0.2).all())
    True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def rule(self) -> Rule:
        """Return the rule of matrices."""
        constants = (
            ("momentum", self.momentum),
            ("nesterov", self.nesterov),
            ("coefficients", (self.muon_a, self.muon_b, self.muon_c)),
            ("ns_steps", self.ns_steps),
            ("rms_rate", self.rms_rate),
        )
        return Rule(muon, (Slot("momentum"),), constants)

    def parts(self, variables: Sequence[Variable]) -> list[Part]:
        """Return the matrices with their rule, and the other variables with Adam's."""
        others = list(map(self._is_for_adam, variables))
        constants = (
            ("beta_1", self.adam_beta_1),
            ("beta_2", self.adam_beta_2),
            ("epsilon", self.epsilon),
        )
        slots = Slot("momentum"), Slot("velocity")
        adam = Rule(updates.adam, slots, constants, AdamScalars(self.adam_lr_ratio))

        def those(for_adam: bool) -> list[Variable]:
            return [v for v, other in zip(variables, others, strict=True) if other == for_adam]

        return [
            Part(self.rule(), self.weight_decay, those(False)),
            Part(adam, self.adam_weight_decay, those(True)),
        ]

    def zeropower_via_newtonschulz5(self, x: TensorLike, steps: int) -> Tensor:
        """Return the orthogonal matrix that a matrix is brought to before a step."""
        raw = unwrap(convert_to_tensor(x))
        return Tensor(orthogonal(raw, self.muon_a, self.muon_b, self.muon_c, steps))

    def transpose_last_axis(self, x: TensorLike) -> Tensor:
        """Return a tensor with its last two axes swapped."""
        return Tensor(unwrap(convert_to_tensor(x)).swapaxes(-2, -1))

    def lr_adjust(self, x: TensorLike) -> Tensor:
        """Return a step times what `rms_rate` makes of the size of its matrix."""
        raw = unwrap(convert_to_tensor(x))
        return Tensor(raw if self.rms_rate is None else raw * size_factor(raw.shape, self.rms_rate))

    def _is_for_adam(self, variable: Variable) -> bool:
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(each, variable.path) for each in self.exclude_layers)


registry.add(Muon)
