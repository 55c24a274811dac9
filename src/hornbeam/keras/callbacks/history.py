"""What every epoch of `fit` measured."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs, as_float


class History(Callback):
    """The record that `fit` returns: `history` maps each metric to its list of values by epoch, `epoch` lists the epochs.

    >>> from hornbeam import keras
    >>> history = keras.callbacks.History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"accuracy": 0.9, "loss": 0.3})
    >>> history.on_epoch_end(1, {"accuracy": 0.95, "loss": 0.2})
    >>> history.history["accuracy"], history.epoch
    ([0.9, 0.95], [0, 1])
    """

    _state_names = ("history", "epoch")

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        # As in Keras, a record that is used for a second fit goes on, but counts its epochs anew.
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(as_float(value))
