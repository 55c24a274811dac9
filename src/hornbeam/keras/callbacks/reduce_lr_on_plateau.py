"""Smaller steps when training no longer helps."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import did_you_mean
from hornbeam.keras.callbacks.learning_rate import learning_rate, set_learning_rate
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.utils.progbar import write


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when the monitored metric has not improved for `patience` epochs.

    Adds `learning_rate`, that of the epoch just ended, to the logs.

    Args:
        monitor: name of the metric in the logs.
        factor: below 1; new rate = rate * factor.
        patience: number of epochs without improvement after which the rate is reduced.
        verbose: 1 prints each reduction.
        mode: "min", "max", or "auto": by the metric.
        min_delta: smallest change that counts as an improvement (`epsilon` is its old name).
        cooldown: number of epochs after a reduction in which patience isn't counted.
        min_lr: the rate is never set lower.

    Raises:
        ValueError: `factor` is 1 or more.
        TypeError: the optimizer follows a `LearningRateSchedule`, when it should be reduced.

    >>> from hornbeam import keras
    >>> keras.callbacks.ReduceLROnPlateau(factor=2.0)
    Traceback (most recent call last):
        ...
    ValueError: ReduceLROnPlateau does not support a factor >= 1.0. Received factor=2.0
    """

    _state_names = ("wait", "best", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        min_delta = kwargs.pop("epsilon", min_delta)
        if kwargs:
            name = next(iter(kwargs))
            known = (
                "monitor",
                "factor",
                "patience",
                "verbose",
                "mode",
                "min_delta",
                "cooldown",
                "min_lr",
            )
            raise TypeError(
                f"ReduceLROnPlateau has no argument {name!r}.{did_you_mean(name, known)}"
            )
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
            )
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self) -> None:
        self.cooldown_counter = 0
        self.wait = 0
        self.best = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is None:
            return
        logs["learning_rate"] = learning_rate(self.model)
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = learning_rate(self.model)
        if old <= np.float32(
            self.min_lr
        ):  # the rate is a float32: compare with what min_lr becomes there
            return
        new = max(old * self.factor, self.min_lr)
        set_learning_rate(self.model, new)
        if self.verbose > 0:
            name = type(self).__name__
            write(f"\nEpoch {epoch + 1}: {name} reducing learning rate to {new}.\n")
        self.cooldown_counter = self.cooldown
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Return whether the rate was reduced less than `cooldown` epochs ago."""
        return self.cooldown_counter > 0
