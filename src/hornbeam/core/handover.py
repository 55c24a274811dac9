"""Steps that take the values of variables over: until they give new ones back, the variables hold deleted arrays.

Other threads that meet such an array wait for the end of the step.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jax

    from hornbeam.core.variable import Variable

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()  # type: ignore[type-arg, valid-type]


def make_lock() -> threading.RLock:  # type: ignore[valid-type]
    """Return a lock that one program holds while it has taken values over."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


_DELETED = re.compile("Array has been deleted|deleted or donated")


def has_met_step(error: Exception) -> bool:
    """Return whether an error is that of an array which a step had taken over: worth another try in `no_step`."""
    return isinstance(error, (RuntimeError, ValueError)) and bool(_DELETED.search(str(error)))


def to_give(
    variables: Sequence[Variable], values: Sequence[jax.Array]
) -> tuple[list[jax.Array], list[Variable]]:
    """Return the values of variables for a program that takes them over, and the variables whose values were copied.

    A value is copied where others may hold it, or where two variables have the same one.
    """
    seen: set[int] = set()
    given: list[jax.Array] = []
    copied: list[Variable] = []
    for variable, value in zip(variables, values, strict=True):
        if variable.is_lent or id(value) in seen:
            copied.append(variable)
            given.append(value.copy())
        else:
            given.append(value)
        seen.add(id(value))
    return given, copied


@contextmanager
def no_step() -> Generator[None]:
    """While open, no other thread runs a step that has taken values over."""
    with ExitStack() as stack:
        # In one order, so that no two threads wait for each other.
        for lock in sorted(_locks, key=id):
            stack.enter_context(lock)
        yield
