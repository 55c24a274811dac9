"""Ctrl-C between steps only.

A compiled step takes its state over (donation) and gives the new state back. An interruption in between would leave a
model without weights, so it waits for the end of the step.
"""

from __future__ import annotations

import gc
import signal
import threading
from types import FrameType
from typing import Any


class Shield:
    """While open, SIGINT that comes inside a `with shield.step():` block is delivered at its end.

    What comes while garbage is collected waits, too, for Python drops exceptions that are raised there. Only the main
    thread receives signals; elsewhere the shield does nothing.
    """

    def __init__(self) -> None:
        """Nothing is installed before `with`."""
        self._previous: Any = None
        self._installed = False
        self._inside = False
        self._pending: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> Shield:
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):  # an ignored or foreign (C) handler is left alone
                self._previous = previous
                self._installed = True
                signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._previous)
            self._installed = False
            self._deliver()

    def step(self) -> Shield.Step:
        """Return the context of a block that must not be interrupted."""
        return Shield.Step(self)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._inside or _drops_exceptions(frame):
            self._pending = (number, frame)
        else:
            self._previous(number, frame)

    def _deliver(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._previous(*pending)

    class Step:
        """One protected block."""

        def __init__(self, shield: Shield) -> None:
            """`shield` receives the signal meanwhile."""
            self._shield = shield

        def __enter__(self) -> None:
            self._shield._inside = True

        def __exit__(self, *exception: object) -> None:
            self._shield._inside = False
            self._shield._deliver()


def _drops_exceptions(frame: FrameType | None) -> bool:
    """Return whether the collection of garbage has called what runs in `frame`."""
    callbacks = [getattr(each, "__code__", None) for each in gc.callbacks]
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
