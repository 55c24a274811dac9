"""The progress that `fit`, `evaluate` and `predict` show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.utils.progbar import Progbar, write

REDRAW_INTERVAL = 0.1  # seconds: faster is not seen, and each redraw waits for the device


class ProgbarLogger(Callback):
    """Prints the epoch, a `keras.utils.Progbar` and the metrics; added by `fit` itself unless `verbose=0`.

    The values shown are those in the logs, never averaged again: the last line of an epoch holds what `fit` returns.
    `verbose=2` prints one line for each epoch.
    """

    _state_names = ()  # a resumed training draws a new bar

    def __init__(self) -> None:
        super().__init__()
        self.progbar: Progbar | None = None
        self.verbose = 1
        self.epochs = 1
        self.target: int | None = None
        self.seen = 0
        self._learned_target = False  # the target is the length of an earlier epoch
        self._in_fit = False

    def set_params(self, params: dict[str, Any] | None) -> None:
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")
        self._learned_target = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            write(f"Epoch {epoch + 1}/{self.epochs}\n")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._update(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finalize(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._in_fit:  # validation is a part of the epoch's line
            self._start()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._in_fit:
            self._update(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._in_fit:
            self._finalize(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._update(batch, None)  # logs holds the predictions

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finalize(None)

    def _start(self) -> None:
        if self.progbar is not None:
            self.progbar.close()
        self.seen = 0
        self.progbar = Progbar(
            self.target,
            verbose=self.verbose,
            interval=REDRAW_INTERVAL,
            stateless_metrics=(),  # the logs are averages already
        )

    def _update(self, batch: int, logs: Logs) -> None:
        if self.progbar is None:
            return
        self.seen = batch + 1
        if self._learned_target and self.target is not None and self.seen > self.target:
            self.target = self.progbar.target = (
                None  # epochs differ in length: it is unknown after all
            )
        self.progbar.update(self.seen, logs, finalize=False)

    def _finalize(self, logs: Logs) -> None:
        if self.progbar is None:
            return
        if self.target is None or self._learned_target:
            self.target, self._learned_target = self.seen or None, True
            self.progbar.target = self.target
        self.progbar.update(self.seen, logs, finalize=True)
        self.progbar = None

    def _close(self) -> None:
        if self.progbar is not None:
            self.progbar.close()
        self.progbar = None
        self._in_fit = False

    def _relaxed_hooks(self) -> Collection[Callable[..., Any]]:
        return (
            ProgbarLogger.on_train_batch_end,
            ProgbarLogger.on_test_batch_end,
            ProgbarLogger.on_predict_batch_end,
        )
