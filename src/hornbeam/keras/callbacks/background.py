"""Saving while training goes on."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable


class BackgroundSave:
    """One save at a time, made by a thread; its error is raised where it is next asked for.

    The process does not end before the save has.
    """

    def __init__(self) -> None:
        """Nothing is being saved."""
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._what = ""

    def start(self, save: Callable[[], None], what: str) -> None:
        """Begin to save; wait for the save before it. `what` names the file in errors. Raises the error of that save."""
        self.wait()
        self._what = what
        self._thread = threading.Thread(target=self._run, args=(save,), name="hornbeam-save")
        self._thread.start()

    def _run(self, save: Callable[[], None]) -> None:
        try:
            save()
        except BaseException as error:  # told to the thread that trains
            self._error = error

    def check(self) -> None:
        """Raise the error of a save that has failed; do not wait for one that is under way."""
        if self._thread is not None and not self._thread.is_alive():
            self.wait()

    def wait(self) -> None:
        """Wait for the end of the save. Raises its error."""
        self._join()
        error, self._error = self._error, None
        if error is not None:
            error.add_note(f"This happened in the background, while {self._what} was being saved.")
            raise error

    def close(self) -> None:
        """Wait for the end of the save; warn of its error, because another one may be on its way."""
        self._join()
        error, self._error = self._error, None
        if error is not None:
            warnings.warn(
                f"{self._what} could not be saved: {type(error).__name__}: {error}", stacklevel=2
            )

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
