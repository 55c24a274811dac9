"""`tf.train.CheckpointManager`: the newest checkpoints of a folder, older ones removed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from hornbeam.core.user_code import warn
from hornbeam.core.variable import Variable
from hornbeam.train.bundle import index_file
from hornbeam.train.bundle_writer import remove_data
from hornbeam.train.checkpoint import Checkpoint
from hornbeam.train.options import CheckpointOptions
from hornbeam.train.reader import checkpoint_exists
from hornbeam.train.state_file import get_checkpoint_state, write_state

# So that the first checkpoint is not older than the last one that was kept.
_MOMENT = 1e-6


class CheckpointManager:
    """Saves a checkpoint under counted names, and keeps the newest `max_to_keep`.

    - `max_to_keep`: None keeps all.
    - `keep_checkpoint_every_n_hours`: of those that would be removed, keep one of every so many hours.
    - `checkpoint_name`: names are `<checkpoint_name>-1`, `<checkpoint_name>-2`, ...
    - `step_counter`, `checkpoint_interval`: `save` does nothing until so many steps have passed since the last one.
    - `init_fn`: what `restore_or_initialize` calls if there is no checkpoint.
    - `last_checkpoint_step`: the step of the last save, if it was not this manager's.

    What is in the folder already, the file `checkpoint` tells.

    >>> import tempfile
    >>> import hornbeam as tf
    >>> step = tf.Variable(0)
    >>> manager = tf.train.CheckpointManager(tf.train.Checkpoint(step=step), tempfile.mkdtemp(), max_to_keep=2)
    >>> for _ in range(3):
    ...     path = manager.save(checkpoint_number=step.assign_add(10))
    >>> [path.rpartition("/")[2] for path in manager.checkpoints]
    ['ckpt-20', 'ckpt-30']
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str | os.PathLike[str],
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Variable | None = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], object] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        """Raises ValueError for a `max_to_keep` below 1 and for an interval without a counter."""
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(
                f"`max_to_keep` is a positive integer or None; received {max_to_keep}."
            )
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError(
                "`checkpoint_interval` counts steps: pass the variable that counts them as `step_counter`."
            )
        self._checkpoint = checkpoint
        self._directory = os.fspath(directory)
        self._max_to_keep = max_to_keep
        self._keep_every_n_hours = keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._step_counter = step_counter
        self._interval = checkpoint_interval
        self._init_fn = init_fn
        self._last_step = last_checkpoint_step
        # The checkpoints that may be removed, the oldest first, with the time of each.
        self._times: dict[str, float] = {}
        self._latest: str | None = None
        self._last_preserved = time.time() - _MOMENT
        self._recover()

    def _recover(self) -> None:
        state = get_checkpoint_state(self._directory)
        if state is None:
            return
        now = time.time()
        self._last_preserved = state.last_preserved_timestamp
        if now < self._last_preserved:
            warn(
                f"The clock has gone back: {self._directory} was changed {self._last_preserved - now:.0f} s from now.",
            )
            self._last_preserved = now
        paths, times = state.all_model_checkpoint_paths, state.all_model_checkpoint_timestamps
        if len(times) != len(paths):
            times = [now - _MOMENT] * len(paths)
        # Somebody may have removed some of them.
        found = zip(paths, times, strict=True)
        self._times = {path: min(each, now) for path, each in found if checkpoint_exists(path)}
        newest = [state.model_checkpoint_path, *reversed(self._times)]
        self._latest = next(filter(checkpoint_exists, newest), None)

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint that is saved."""
        return self._checkpoint

    @property
    def directory(self) -> str:
        """The folder."""
        return self._directory

    @property
    def checkpoint_interval(self) -> int | None:
        """The number of steps between two saves."""
        return self._interval

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the newest checkpoint, or None."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the checkpoints that are kept, the oldest first; without those kept for their hours."""
        return list(self._times)

    def save(
        self,
        checkpoint_number: int | Variable | None = None,
        check_interval: bool = True,
        options: CheckpointOptions | None = None,
    ) -> str | None:
        """Write a checkpoint, then remove the oldest; return its path, or None if it is too early.

        `checkpoint_number` is part of its name; None counts. `check_interval=False` saves whatever the step is.
        """
        if self._interval is not None and self._step_counter is not None:
            step = int(self._step_counter.numpy())
            if (
                check_interval
                and self._last_step is not None
                and step < self._last_step + self._interval
            ):
                return None
        path = self._write(checkpoint_number, options)
        if self._interval is not None and self._step_counter is not None:
            self._last_step = int(self._step_counter.numpy())
        self._times.pop(path, None)
        self._times[path] = time.time()
        self._latest = path
        # The file names the new checkpoint before an old one is removed, and never one that is gone.
        self._record()
        self._remove_old()
        self._record()
        return path

    def restore_or_initialize(self) -> str | None:
        """Restore the newest checkpoint and return its path; without one, call `init_fn` and return None."""
        if self._latest is None:
            if self._init_fn is not None:
                self._init_fn()
            return None
        self._checkpoint.restore(self._latest)
        if self._interval is not None and self._step_counter is not None:
            self._last_step = int(self._step_counter.numpy())
        return self._latest

    def sync(self) -> None:
        """Do nothing: `save` returns when the files are there."""

    def _write(self, number: int | Variable | None, options: CheckpointOptions | None) -> str:
        counter = self._checkpoint.save_counter
        before = counter.numpy()
        counter.assign_add(1)
        try:
            number = int(counter.numpy() if number is None else number)
            return self._checkpoint.write(f"{self._prefix}-{number}", options)
        except BaseException:
            counter.assign(before)
            raise

    def _record(self) -> None:
        assert self._latest is not None
        paths, times = list(self._times), list(self._times.values())
        write_state(self._directory, self._latest, paths, times, self._last_preserved)

    def _remove_old(self) -> None:
        while self._max_to_keep is not None and len(self._times) > self._max_to_keep:
            path = next(iter(self._times))
            saved = self._times.pop(path)
            hours = self._keep_every_n_hours
            if hours and saved - hours * 3600 >= self._last_preserved:
                self._last_preserved = saved
                continue
            with contextlib.suppress(FileNotFoundError):
                os.unlink(index_file(path))  # first: data without an index are no checkpoint
            remove_data(path)
