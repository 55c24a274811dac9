"""A count of changes to what holds state.

Finding all variables of a model means walking over the attributes of all its layers; for one row of `predict` that
costs more than the computation. Code that keeps the result of such a walk keeps the count beside it, and walks again
when the count has changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

_counter = itertools.count(1)
_last = 0


def note_change() -> None:
    """Say that a variable was made or frozen, or that an object which may hold state was attached to another."""
    global _last
    _last = next(_counter)


def change_count() -> int:
    """Return the count, which grows with each change; equal counts mean that nothing has changed in between."""
    return _last


# What waits for variables that are not made yet: functions to call when an object may hold new ones.
waiting: list[Callable[[object], None]] = []


def note_contents(owner: object) -> None:
    """Say that `owner` is built, or holds something new, so that values which wait for its variables find them."""
    for each in list(waiting):
        each(owner)
