"""SIGTERM, by which a machine says that it will be taken away, noted until there is a good moment to obey."""

from __future__ import annotations

import signal
import threading
from typing import Any

from hornbeam.core.user_code import warn


class TerminationNotice:
    """While open, SIGTERM sets `is_given`; `deliver` then lets it do what it would have done."""

    def __init__(self) -> None:
        """Nothing is installed before `open`."""
        self.is_given = False
        self._previous: Any = None
        self._is_open = False

    def open(self) -> None:
        """Take over the signal; warn where that is not possible."""
        if threading.current_thread() is not threading.main_thread():
            problem = "signals reach the main thread alone, and `fit` runs in another one"
        elif signal.getsignal(signal.SIGTERM) is None:
            problem = "a handler that was not installed by Python has the signal"
        else:
            self._previous = signal.signal(signal.SIGTERM, self._note)
            self._is_open = True
            return
        warn(f"SIGTERM will not save the training: {problem}.")

    def _note(self, *_: object) -> None:
        self.is_given = True

    def close(self) -> None:
        """Leave the signal as it was."""
        if self._is_open:
            signal.signal(signal.SIGTERM, self._previous)
            self._is_open = False

    def deliver(self) -> None:
        """Send the signal on to the handler of before, which most often ends the process; where it does not, go on."""
        was_open = self._is_open
        self.close()
        self.is_given = False
        signal.raise_signal(signal.SIGTERM)
        if was_open:
            self.open()
