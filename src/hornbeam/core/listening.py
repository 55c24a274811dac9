"""The listeners of each thread, below the values that tell them where they are looked at."""

from __future__ import annotations

import threading
from typing import Any


class _Local(threading.local):
    def __init__(self) -> None:
        # Both are described in `core.recording`.
        self.recorders: list[Any] = []
        self.capture: Any = None


local = _Local()


def taken_out(box: object, by: str) -> None:
    """Tell the listeners that Python, NumPy or JAX takes the raw value of a tensor or variable, by `by`.

    What is computed of it, no listener hears. Call it only where there are listeners: `if local.recorders`.
    """
    for recorder in local.recorders:
        hear = getattr(recorder, "taken_out", None)
        if hear is not None:
            hear(box, by)
