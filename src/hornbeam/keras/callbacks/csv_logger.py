"""Epoch results in a CSV file."""

from __future__ import annotations

import csv
import hashlib
import os
from typing import Any, TextIO

import numpy as np

from hornbeam.core.user_code import warn
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs


class CSVLogger(Callback):
    """Writes one row for each epoch: `epoch` (from 0), then the logs by name.

    Each row is on the disk's side when the epoch ends, so an interrupted run leaves all its epochs. The columns are those
    of the first epoch, with a `val_` column for each where the first epoch had no validation; values that an epoch lacks
    are `NA`. Arrays are written as `"[1.0, 2.0]"`. A training that is resumed goes on in the same file, without the rows of
    epochs that are trained once more.

    Args:
        filename: path of the file.
        separator: character between two columns.
        append: go on with a file that exists, in the columns of its first line, instead of writing it anew.

    >>> import os, tempfile
    >>> from hornbeam import keras
    >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
    >>> logger = keras.callbacks.CSVLogger(path)
    >>> logger.on_train_begin()
    >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})
    >>> logger.on_train_end()
    >>> with open(path) as file: print(file.read().strip())
    epoch,loss,val_loss
    0,0.5,0.25
    """

    _identity_names = ("filename",)

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: TextIO | None = None
        self._warned = False
        self._is_training = False
        self._resumed: dict[str, Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        self.keys = None
        self._is_training, self._resumed = True, None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        # Not earlier: a file that a resumed training goes on with must not be emptied.
        self._open()

    def _open(self) -> None:
        if self._file is not None or not self._is_training:
            return
        old = self._old_text()
        if self._resumed is not None:
            old = self._resumed_part(old)
        elif not self.append:
            old = ""
        if old:
            header = next(csv.reader(old.splitlines(), delimiter=self.sep))
            self.keys = [name for name in header if name != "epoch"]
        self._file = open(self.filename, "a", newline="", encoding="utf-8")  # noqa: SIM115
        self._file.truncate(len(old.encode()))
        if old and not old.endswith(("\n", "\r")):
            self._file.write("\r\n")  # the last run died within a row: don't glue ours to it

    def _resumed_part(self, old: str) -> str:
        """Return the part of the file that the stored training had written; all of it where that is another file."""
        assert self._resumed is not None
        part = old[: self._resumed["characters"]]
        if not old or _hash(part) == self._resumed["sha256"]:
            return part
        warn(
            f"{self.filename} is not the file that the stored training wrote; the rows are added behind those in it.",
        )
        return old

    def _old_text(self) -> str:
        if not os.path.exists(self.filename):
            return ""
        with open(self.filename, newline="", encoding="utf-8") as file:
            return file.read()

    def get_state(self) -> dict[str, Any]:
        """Return how many characters of the file are there, and their hash."""
        text = self._old_text()
        return {"characters": len(text), "sha256": _hash(text)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Let the file go on behind as many characters."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._resumed = state

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._open()
        if self._file is None:
            return
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.sep)
        if self.keys is None:
            self.keys = _columns(logs)
            writer.writerow(["epoch", *self.keys])
        extra = [name for name in logs if name not in self.keys]
        if extra and not self._warned:
            self._warned = True
            warn(
                f"CSVLogger leaves out {', '.join(extra)}: the first line of {self.filename} has no such column.",
            )
        writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self.keys)])
        self._file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        self._open()
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None
        self._is_training = False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _columns(logs: dict[str, Any]) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    # No validation yet (validation_freq > 1): keep room for it.
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(str(each) for each in value)}]"'
