"""Schedules that fall along half a cosine."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.optimizers.schedules.base import (
    LearningRateSchedule,
    check_steps,
    registry,
)
from hornbeam.ops.schedules import cosine_decay, cosine_decay_restarts, warmup_cosine_decay


class CosineDecay(LearningRateSchedule):
    """Half a cosine from initial_learning_rate to `alpha` of it in decay_steps, then constant.

    With `warmup_target`, the rate first rises to it on a line, in `warmup_steps`; the cosine starts there.
    Sources: Loshchilov and Hutter, 2016, arXiv:1608.03983; Goyal et al., 2017, arXiv:1706.02677.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.CosineDecay(0.5, decay_steps=10)
    >>> float(schedule(0)), float(schedule(5)), float(schedule(10))
    (0.5, 0.25, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        """Raises ValueError unless decay_steps > 0."""
        check_steps("decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        arguments = (step, self.initial_learning_rate, self.decay_steps, self.alpha)
        if self.warmup_target is None:
            return cosine_decay(*arguments)
        return warmup_cosine_decay(*arguments, self.warmup_target, self.warmup_steps)


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine to `alpha` of initial_learning_rate, again and again (SGDR).

    The first takes first_decay_steps; each next one is `t_mul` times as long and starts `m_mul` times as high.
    Source: Loshchilov and Hutter, 2016, arXiv:1608.03983.

    >>> from hornbeam import keras
    >>> schedule = keras.optimizers.schedules.CosineDecayRestarts(0.5, first_decay_steps=10)
    >>> float(schedule(5)), float(schedule(10)), float(schedule(20))
    (0.25, 0.5, 0.25)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        """Raises ValueError unless first_decay_steps > 0."""
        check_steps("first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` updates."""
        first, steps = self.initial_learning_rate, self.first_decay_steps
        return cosine_decay_restarts(step, first, steps, self.t_mul, self.m_mul, self.alpha)


registry.add(CosineDecay)
registry.add(CosineDecayRestarts)
