"""Schedules that fall along a power, a hyperbola, a polynomial or in steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.keras.optimizers.schedules.base import (
    LearningRateSchedule,
    check_steps,
    registry,
)
from hornbeam.ops.schedules import (
    exponential_decay,
    inverse_time_decay,
    piecewise_constant,
    polynomial_decay,
)


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate^(step / decay_steps); in steps where `staircase`.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.ExponentialDecay(0.5, decay_steps=10, decay_rate=0.25)
    >>> float(schedule(5))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        """Raises ValueError unless decay_steps > 0."""
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        first, steps, rate = self.initial_learning_rate, self.decay_steps, self.decay_rate
        return exponential_decay(step, first, steps, rate, self.staircase)


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); in steps where `staircase`.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.InverseTimeDecay(0.5, decay_steps=10, decay_rate=2.0)
    >>> float(schedule(5))
    0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        """Raises ValueError unless decay_steps > 0."""
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        first, steps, rate = self.initial_learning_rate, self.decay_steps, self.decay_rate
        return inverse_time_decay(step, first, steps, rate, self.staircase)


class PolynomialDecay(LearningRateSchedule):
    """From initial_learning_rate to end_learning_rate in decay_steps, as (1 - step / decay_steps)^power.

    After that it stays; with `cycle`, it starts again from where a fall over the next multiple of decay_steps would be.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.0)
    >>> float(schedule(5)), float(schedule(20))
    (0.25, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        """Raises ValueError unless decay_steps > 0."""
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        first, last = self.initial_learning_rate, self.end_learning_rate
        return polynomial_decay(step, first, self.decay_steps, last, self.power, self.cycle)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and including step boundaries[0], then values[1], and so on.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.PiecewiseConstantDecay([100, 200], [0.5, 0.25, 0.125])
    >>> float(schedule(100)), float(schedule(101)), float(schedule(1000))
    (0.5, 0.25, 0.125)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        """Raises ValueError unless there is one value more than boundaries, and these rise."""
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "`values` must hold one number more than `boundaries`; received "
                f"{len(values)} values and {len(boundaries)} boundaries."
            )
        if not boundaries or list(boundaries) != sorted(boundaries):
            raise ValueError(f"`boundaries` must be rising numbers; received {boundaries!r}.")
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        return piecewise_constant(step, list(self.boundaries), list(self.values))


for _cls in (ExponentialDecay, InverseTimeDecay, PolynomialDecay, PiecewiseConstantDecay):
    registry.add(_cls)
