"""Saving while training goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hornbeam.core.user_code import warn


class Saving(threading.Thread):
    """A save that is being made. The process does not end before it."""

    def __init__(self, save: Callable[[], None]) -> None:
        """Nothing happens before `start`."""
        super().__init__(name="hornbeam-save")
        self._save = save
        self.error: BaseException | None = None

    def run(self) -> None:
        """Save; keep the error for the thread that trains."""
        try:
            self._save()
        except BaseException as error:
            self.error = error

    def is_made(self) -> bool:
        """Wait for the end, in any thread; return whether the save is there."""
        self.join()
        return self.error is None


class BackgroundSave:
    """One save at a time, made by a thread; its error is raised where it is next asked for."""

    def __init__(self) -> None:
        """Nothing is being saved."""
        self.saving: Saving | None = None
        """The last save whose end has not been waited for."""
        self._what = ""

    def start(self, save: Callable[[], None], what: str) -> None:
        """Begin to save; wait for the save before it. `what` names the file in errors. Raises the error of that save."""
        self.wait()
        self._what = what
        self.saving = Saving(save)
        self.saving.start()

    def check(self) -> None:
        """Raise the error of a save that has failed; do not wait for one that is under way."""
        if self.saving is not None and not self.saving.is_alive():
            self.wait()

    def wait(self) -> None:
        """Wait for the end of the save. Raises its error."""
        error = self._end()
        if error is not None:
            error.add_note(f"This happened in the background, while {self._what} was being saved.")
            raise error

    def close(self) -> None:
        """Wait for the end of the save; warn of its error, because another one may be on its way."""
        error = self._end()
        if error is not None:
            warn(f"{self._what} could not be saved: {type(error).__name__}: {error}")

    def _end(self) -> BaseException | None:
        if self.saving is None:
            return None
        self.saving.join()
        ended, self.saving = self.saving, None
        return ended.error
