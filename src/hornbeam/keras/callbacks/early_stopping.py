"""Stop when training no longer helps."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.utils.progbar import write


class EarlyStopping(MonitorCallback):
    """Stops training when the monitored metric has not improved for `patience` epochs.

    Args:
        monitor: name of the metric in the logs.
        min_delta: smallest change that counts as an improvement.
        patience: number of epochs without improvement after which training stops.
        verbose: 1 prints what was done.
        mode: "min", "max", or "auto": by the metric.
        baseline: an epoch resets the patience only where it is better than this value, too.
        restore_best_weights: whether the model ends with the weights of its best epoch, also where training ran to
            its last epoch. The best epoch counts even where none reached `baseline`.
        start_from_epoch: number of epochs at the start that are not looked at.

    Attributes: `best`, `best_epoch`, `best_weights`, `wait`, `stopped_epoch` (0 where training wasn't stopped); epochs
    count from 0.

    >>> from hornbeam import keras
    >>> keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True).mode
    'auto'
    """

    _state_names = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None
        self.best_epoch = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # Something to go back to, should nothing ever improve (a metric that is NaN from the start).
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return  # an epoch that improves is never the one to stop at
        # Never after the first epoch: there was nothing to improve on.
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            write(f"Epoch {self.stopped_epoch + 1}: early stopping\n")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                best = self.best_epoch + 1
                write(f"Restoring model weights from the end of the best epoch: {best}.\n")
            self.model.set_weights(self.best_weights)
