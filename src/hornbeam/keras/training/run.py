"""Where a training stands, and how it goes on from there in another process."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from hornbeam.core.changes import change_count
from hornbeam.core.rng import (
    default_seed_state,
    host_generator_state,
    set_default_seed_state,
    set_host_generator_state,
)
from hornbeam.core.snapshot import Snapshot
from hornbeam.core.variable import Variable
from hornbeam.keras.callbacks import CallbackList
from hornbeam.keras.saving.state_folder import (
    newest_state,
    remove_states,
    write_state,
)
from hornbeam.keras.sources.source import Feed, State
from hornbeam.keras.training.programs import first_data
from hornbeam.keras.training.state import changed_elsewhere, load_variables, variables_by_path

if TYPE_CHECKING:
    from hornbeam.keras.training.trainer import Trainer


Write: TypeAlias = Callable[[str, int], object]
"""Writes a checkpoint into a folder; keeps so many of those that are there."""


class Run:
    """One call of `fit`. With the variables of the model, its `state` is all that decides how it goes on."""

    def __init__(
        self,
        model: Trainer,
        feed: Feed,
        reports: CallbackList,
        validation: Feed | None = None,
        first_epoch: int = 0,
    ) -> None:
        """`reports` has the callbacks."""
        self.model = model
        self.feed = feed
        self.reports = reports
        self.validation = validation
        self.epoch = first_epoch
        self.step = 0
        """The number of batches done in this epoch."""
        self.logs: dict[str, Any] = {}
        """The logs that a resumed training begins with."""
        self.is_over = False
        self.has_ended = False
        """Whether a resumed training had been told to stop, after an epoch."""
        self.remembers_validation = False
        """Whether each validation has to leave what `before_validation` returns."""
        self.before_validation: Write | None = None
        """What writes a checkpoint of the moment before the validation that is running."""
        self._resumed: tuple[State, Snapshot] | None = None
        self._paths: tuple[int, dict[str, Variable]] | None = None

    def begin(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch, self.step = epoch, 0
        self.before_validation = None

    def begin_validation(self, logs: Mapping[str, Any]) -> None:
        """Remember all that counts, if somebody asks for that: a training resumed from within begins it again."""
        if self.remembers_validation:
            self.before_validation = self.capture(logs)

    def state(self, logs: Mapping[str, Any] | None = None, epoch_is_over: bool = False) -> State:
        """Return what a checkpoint stores: plain data and NumPy arrays.

        `logs` are those of the last step. With `epoch_is_over`, training goes on with the next epoch.
        """
        validation = None
        if self.validation is not None:
            validation = self.validation.state(in_epoch=False)
        return {
            "epoch": self.epoch + 1 if epoch_is_over else self.epoch,
            "step": 0 if epoch_is_over else self.step,
            "logs": dict(logs or {}),
            "stops": bool(self.model.stop_training),
            "feed": self.feed.state(in_epoch=not epoch_is_over),
            "validation": validation,
            "callbacks": self.reports.get_state(),
            "default_seeds": default_seed_state(),
            "host_generators": host_generator_state(),
        }

    # Checkpoints

    def watch(self) -> None:
        """Have `state` tell what changes in callbacks and data of the user's that have no `get_state`."""
        known = frozenset(map(id, self._variables_by_path().values()))
        self.reports.watch(known)
        for feed in (self.feed, self.validation):
            if feed is not None:
                feed.source.watch(known)

    def capture(self, logs: Mapping[str, Any] | None = None, epoch_is_over: bool = False) -> Write:
        """Return a function `(folder, keep)` that writes a checkpoint of this moment, in another thread too."""
        paths = self._variables_by_path() | changed_elsewhere(self.model)
        values = Snapshot(paths.values()).values
        arrays = dict(zip(paths, values, strict=True))
        state = copy.deepcopy(self.state(logs, epoch_is_over))
        return lambda folder, keep: write_state(folder, arrays, state, keep)

    def _variables_by_path(self) -> dict[str, Variable]:
        """Return what `variables_by_path` finds; it looks again only where a variable may have come or gone."""
        count = change_count()
        if self._paths is None or self._paths[0] != count:
            self._paths = count, variables_by_path(self.model)
        return self._paths[1]

    def restore(self, folder: str) -> bool:
        """Go on from the newest checkpoint in the folder; return whether there is one.

        Raises ValueError, with every difference, for a checkpoint of another model.
        """
        stored = newest_state(folder)
        if stored is None:
            return False
        variables = load_variables(self.model, stored, first_data(self.feed.source))
        state = stored.data
        self.epoch, self.logs = state["epoch"], state["logs"]
        self.has_ended = state["stops"] and not state["step"]
        self.feed.resume(state["feed"], state["step"])
        if self.validation is not None and state["validation"] is not None:
            self.validation.resume(state["validation"])
        self._resumed = state, Snapshot(variables)
        self._set_rest(state)
        return True

    def _set_rest(self, state: State) -> None:
        self.model.stop_training = state["stops"]
        self.reports.set_state(state["callbacks"])
        set_default_seed_state(state["default_seeds"])
        set_host_generator_state(state["host_generators"])

    def resume_epoch(self) -> None:
        """Set all of the restored state once more where training was stopped in the middle of the epoch that begins.

        The callbacks have begun the epoch for the second time, and the metrics were reset.
        """
        resumed, self._resumed = self._resumed, None
        if resumed is None:
            return
        state, snapshot = resumed
        if state["step"]:
            snapshot.put_back()
            self.step = state["step"]
            self._set_rest(state)

    @staticmethod
    def forget(folder: str) -> None:
        """Remove the checkpoints in the folder."""
        remove_states(folder)
