"""A learning rate that is a function of the epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.learning_rate import learning_rate, set_learning_rate
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.utils.progbar import write


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch, and adds `learning_rate` to the logs.

    Args:
        schedule: `schedule(epoch, learning_rate) -> learning_rate`, or `schedule(epoch)`; epochs count from 0. The result
            is a number, or anything that `float` takes.
        verbose: 1 prints each new rate.

    Raises:
        ValueError: `schedule` returns something else, in the first epoch.
        TypeError: the optimizer follows a `LearningRateSchedule`.

    >>> from hornbeam import keras
    >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        arguments = (epoch, learning_rate(self.model)) if self._takes_rate else (epoch,)
        result = self.schedule(*arguments)
        try:
            rate = float(result)
        except (TypeError, ValueError):
            raise ValueError(
                f"The `schedule` of LearningRateScheduler must return the learning rate as a float. Received: {result!r}"
            ) from None
        set_learning_rate(self.model, rate)
        if self.verbose > 0:
            name = type(self).__name__
            write(f"\nEpoch {epoch + 1}: {name} setting learning rate to {rate}.\n")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = learning_rate(self.model)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    """Return whether the signature of `schedule` takes epoch and rate: trying a call would hide the schedule's own TypeError."""
    try:
        signature = inspect.signature(schedule)
    except (TypeError, ValueError):  # some builtins have none
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True
