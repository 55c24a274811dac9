"""Save the model while it trains."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from hornbeam.core.user_code import warn
from hornbeam.keras.callbacks.background import BackgroundSave
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.callbacks.monitor_callback import MonitorCallback
from hornbeam.keras.callbacks.saved_files import remove_saved
from hornbeam.keras.utils.progbar import write

_MODELS = (".keras", ".h5", ".hdf5")
_WEIGHTS = (".weights.h5", ".weights.json", ".h5", ".hdf5", ".safetensors", ".ckpt")


def _no_ending(filepath: str | os.PathLike[str]) -> bool:
    """Return whether a name has no ending; the dots of `{val_loss:.2f}` begin none."""
    ending = os.path.splitext(os.fspath(filepath))[1]
    return not ending or "}" in ending


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after each epoch or every so many batches.

    A file is written whole or not at all, so the one before it stays until then. A save that fails ends the training
    with its error.

    Args:
        filepath: where to; `{epoch}` (from 1), `{batch}` (from 1, with an integer `save_freq`) and the names of the logs
            are filled in: `"run/{epoch:02d}-{val_loss:.2f}.weights.h5"`. Ends with `.keras` (or `.h5`) for models, and as
            `save_weights` takes it for weights: `.weights.h5`, `.h5`, `.safetensors`, or `.ckpt` and no ending for a
            checkpoint of TensorFlow. Missing directories are made.
        monitor: name of the metric that tells what is best.
        verbose: 1 prints what was done.
        save_best_only: save only where the metric is better than ever before.
        save_weights_only: `model.save_weights(path)` instead of `model.save(path)`.
        mode: "min", "max", or "auto": by the metric.
        save_freq: "epoch", or a number of batches, counted over all epochs.
        initial_value_threshold: the best value from before; only better ones are saved.
        max_to_keep: of the files that this callback has written, remove all but the last so many; None keeps all.
        save_on_background: write the file while training goes on, which costs one copy of the weights. One file is
            written at a time. An error is raised at the next batch or epoch, or at the end of `fit`, which waits for
            the last file, as Ctrl-C and the end of the process do.

    Raises:
        ValueError: the ending of `filepath`, `save_freq` or `max_to_keep` is not one of those above.
        KeyError: while training, `filepath` has a name that the logs lack.

    >>> from hornbeam import keras
    >>> keras.callbacks.ModelCheckpoint("best.weights.h5", save_weights_only=True, save_best_only=True).save_freq
    'epoch'
    """

    _state_names = ("best", "_last_batch", "_batches_since_save", "_written")
    _identity_names = ("monitor", "filepath")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        *,
        max_to_keep: int | None = None,
        save_on_background: bool = False,
    ) -> None:
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self._written: list[str] = []  # the files that are there, the newest last
        self._background = BackgroundSave()
        self._epoch = 0
        self._last_batch = -1
        self._batches_since_save = 0
        if save_freq != "epoch" and not (
            isinstance(save_freq, int | np.integer) and save_freq >= 1
        ):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a number of batches."
            )
        if max_to_keep is not None and not (isinstance(max_to_keep, int) and max_to_keep >= 1):
            raise ValueError(
                f"`max_to_keep` is a number of files or None; received {max_to_keep!r}."
            )
        endings = _WEIGHTS if save_weights_only else _MODELS
        if not (self.filepath.endswith(endings) or (save_weights_only and _no_ending(filepath))):
            what = "weights (`save_weights_only=True`)" if save_weights_only else "a model"
            raise ValueError(
                f"The filepath of a ModelCheckpoint that saves {what} must end in `{endings[0]}`. "
                f"Received: filepath={self.filepath}"
            )

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        self._background.check()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._background.check()
        if self.save_freq == "epoch":
            return
        # Where steps run in blocks only the last batch of each is reported; each epoch counts from 0 again.
        new_epoch = batch <= self._last_batch
        self._batches_since_save += batch + 1 if new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self._batches_since_save >= int(self.save_freq):
            self._batches_since_save = 0
            self._save(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._background.check()
        if self.save_freq == "epoch":
            self._save(None, logs)

    def _save(self, batch: int | None, logs: Logs) -> None:
        path = self._path(batch, logs)
        if not self._is_worth_saving(path, logs):
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        obsolete = self._note_written(path)
        if not self.save_on_background:
            self._write(path, obsolete)
            return
        snapshot = self.model._snapshot()

        def write() -> None:
            with snapshot.scope():
                self._write(path, obsolete)

        self._background.start(write, path)

    def _note_written(self, path: str) -> list[str]:
        """Note that a file is being written; return those to be removed afterwards."""
        self._written = [each for each in self._written if each != path] + [path]
        keep = self.max_to_keep or len(self._written)
        obsolete, self._written = self._written[:-keep], self._written[-keep:]
        return obsolete

    def _write(self, path: str, obsolete: list[str]) -> None:
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        self._say(f"finished saving model to {path}")
        for each in obsolete:
            remove_saved(each)

    def _is_worth_saving(self, path: str, logs: Logs) -> bool:
        if not self.save_best_only:
            self._say(f"saving model to {path}")
            return True
        current = self.get_monitor_value(logs)
        if current is None:
            return True  # as in Keras: after the warning, better a checkpoint too many than none
        if not isinstance(current, float):
            warn(
                f"ModelCheckpoint can save the best model only where `{self.monitor}` is one number. "
                f"Received: {current!r}. Falling back to `save_best_only=False`.",
            )
            return True
        if not self._is_improvement(current, self.best):
            self._say(f"{self.monitor} did not improve from {self.best:.5f}")
            return False
        before = None if self.best is None else f"{self.best:.5f}"
        self._say(f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _path(self, batch: int | None, logs: Logs) -> str:
        names: dict[str, Any] = dict(logs or {})
        names["epoch"] = self._epoch + 1
        if batch is not None:
            names["batch"] = batch + 1
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f"Failed to format this callback filepath: {self.filepath!r}. "
                f"There is no {error}; available names are: {', '.join(names)}."
            ) from error

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            write(f"\nEpoch {self._epoch + 1}: {text}\n")

    def on_train_end(self, logs: Logs = None) -> None:
        self._background.wait()

    def _close(self) -> None:
        self._background.close()

    def _unfinished(self) -> BackgroundSave:
        return self._background

    def _relaxed_hooks(self) -> Collection[Callable[..., Any]]:
        return (ModelCheckpoint.on_train_batch_end,) if self.save_freq == "epoch" else ()
