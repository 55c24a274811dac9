"""Checkpoints of a training, from which it goes on after an interruption."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection
from typing import Any

from hornbeam.keras.callbacks.background import BackgroundSave
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.folder_lock import FolderLock
from hornbeam.keras.callbacks.logs import Logs
from hornbeam.keras.callbacks.termination import TerminationNotice


class BackupAndRestore(Callback):
    """Saves where a training stands, and lets `fit` go on from there when the same script is started again.

    A checkpoint holds all that decides the next step: weights, the optimizer's state, metrics, seeds, the order of the
    data, the state of callbacks, epoch and step. A training that was interrupted, even in the middle of an epoch, ends
    with the same weights, bit for bit, and the same `History` as one that was not. It is written whole or not at all.

    Wherever it stands in the list of callbacks, it acts after the others. Callbacks and `PyDataset`s of your own go on
    with what has changed among their attributes, or with what their `get_state()` returned; so do variables that the
    compiled step reads and nothing of these holds, such as a global one (with `run_eagerly` nobody knows of them: let the
    model hold them). Of a generator, the batches that were used are drawn once more and dropped.

    Args:
        backup_dir: folder of the checkpoints, used by this training alone.
        save_freq: "epoch", or a number of steps; these are counted over all epochs. False saves at no regular time.
        double_checkpoint: keep the checkpoint before the last one as well, for the case that the last is damaged.
        delete_checkpoint: remove the checkpoints when `fit` has ended.
        save_before_preemption: save when the process receives SIGTERM, after the step that is running, and then let the
            signal do what it would have done. `fit` leaves the signal's handler as it was.
        save_on_background: write the file while training goes on. An error is raised at the next checkpoint, or when
            `fit` ends, which waits for the last one.

    Raises:
        OSError: in `fit`, where another training that is running uses the folder.
        ValueError: `backup_dir` is empty, or `save_freq` is none of the above. In `fit`: the checkpoint is that of
            another model or other data (all differences are named), or damaged.

    >>> import tempfile
    >>> from hornbeam import keras
    >>> import numpy as np
    >>> x, y, folder = np.ones((8, 2)), np.ones(8), tempfile.mkdtemp()
    >>> def train(epochs):
    ...     keras.utils.set_random_seed(1)
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("adam", "mse")
    ...     backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    ...     return model.fit(x, y, epochs=epochs, callbacks=[backup], verbose=0)
    >>> train(epochs=2).epoch, train(epochs=5).epoch  # the second one trains three more
    ([0, 1], [0, 1, 2, 3, 4])
    """

    _comes_last = True
    _state_names = ("_since_save",)

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int | bool = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
        save_on_background: bool = False,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir)
        if not self.backup_dir:
            raise ValueError("`backup_dir` is empty; pass the path of a folder.")
        steps = isinstance(save_freq, int) and (save_freq is False or save_freq >= 1)
        if save_freq != "epoch" and (not steps or save_freq is True):
            raise ValueError(
                f"`save_freq` is 'epoch', a number of steps, or False; received {save_freq!r}."
            )
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        self.save_on_background = save_on_background
        self._since_save = 0
        self._background = BackgroundSave()
        self._notice = TerminationNotice()
        self._lock = FolderLock()

    @property
    def _run(self) -> Any:
        run = getattr(self.model, "_run", None)
        if run is None:
            raise ValueError(
                "BackupAndRestore works in `fit`: what a loop of your own does is not known to it. There, use "
                "`model.save_weights` or `tf.train.Checkpoint`."
            )
        return run

    def on_train_begin(self, logs: Logs = None) -> None:
        self._since_save = 0
        _check_folder(self.backup_dir)
        self._lock.acquire(self.backup_dir)
        self._run.watch()
        self._run.restore(self.backup_dir)
        self._run.remembers_validation = self.save_before_preemption
        if self.save_before_preemption:
            self._notice.open()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._run.resume_epoch()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._counts_steps:
            self._since_save += 1
            if self._since_save >= int(self.save_freq):
                self._since_save = 0
                self._save(logs)
        self._obey(logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._notice.is_given:
            self._obey(logs, write=self._run.before_validation)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs, epoch_is_over=True)
        self._obey(logs, epoch_is_over=True)

    def on_train_end(self, logs: Logs = None) -> None:
        self._background.wait()
        if self.delete_checkpoint:
            self._run.forget(self.backup_dir)
            self._lock.release()
            with contextlib.suppress(OSError):  # there are files of somebody else
                os.rmdir(self.backup_dir)

    def _close(self) -> None:
        try:
            self._background.close()
        finally:  # Ctrl-C ends the waiting
            self._notice.close()
            self._lock.release()
        if self._notice.is_given:  # after the last step that could have been saved
            self._notice.deliver()

    @property
    def _counts_steps(self) -> bool:
        return self.save_freq != "epoch" and bool(self.save_freq)

    def _save(self, logs: Logs, epoch_is_over: bool = False, write: Any = None) -> None:
        write, folder = write or self._run.capture(logs, epoch_is_over), self.backup_dir
        keep = 2 if self.double_checkpoint else 1
        # What it says others have written must be there first: a process that is killed in between would never write it.
        others = self._run.reports.unfinished()
        if not self.save_on_background:
            for each in others:
                each.wait()
            write(folder, keep)
            return
        savings = [each.saving for each in others if each.saving is not None]

        def write_last() -> None:
            if all(each.is_made() for each in savings):  # else the other's error ends the training
                write(folder, keep)

        self._background.start(write_last, folder)

    def _obey(self, logs: Logs, epoch_is_over: bool = False, write: Any = None) -> None:
        """Save, and end the process, where the machine has asked for that; `write` saves another moment than now."""
        if self._notice.is_given:
            self._save(logs, epoch_is_over, write)
            self._background.wait()
            self._notice.deliver()

    def _relaxed_hooks(self) -> Collection[Callable[..., Any]]:
        relaxed = (BackupAndRestore.on_test_batch_end,)
        return relaxed if self._counts_steps else (*relaxed, BackupAndRestore.on_train_batch_end)


def _check_folder(folder: str) -> None:
    """Make the folder. Raise OSError where nothing could be saved: now, not after an epoch."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise NotADirectoryError(
            errno.ENOTDIR, "`backup_dir` is the path of a file; choose another name", folder
        )
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            errno.EACCES, "Writing in `backup_dir` is not allowed; choose another folder", folder
        )
