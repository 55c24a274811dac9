"""Steps that take the values of variables over: until they give new ones back, the variables hold deleted arrays.

Other threads that meet such an array wait for the end of the step.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()  # type: ignore[type-arg, valid-type]


def make_lock() -> threading.RLock:  # type: ignore[valid-type]
    """Return a lock that one program holds while it has taken values over."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


@contextmanager
def no_step() -> Generator[None]:
    """While open, no other thread runs a step that has taken values over."""
    with ExitStack() as stack:
        # In one order, so that no two threads wait for each other.
        for lock in sorted(_locks, key=id):
            stack.enter_context(lock)
        yield
