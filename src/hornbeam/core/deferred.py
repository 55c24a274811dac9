"""Initial values that are drawn when they are first read.

While a file is loaded, every variable gets its value from the file; drawing another one first would take half the time,
and a configuration could ask for any amount of memory. Inside `deferred_values`, a new variable holds its shape, its type
and how its value is drawn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from hornbeam.core.dtypes import DType
    from hornbeam.core.variable import Variable


@dataclass(frozen=True)
class FirstValue:
    """The value of a variable that is not drawn yet."""

    shape: tuple[int, ...]
    dtype: DType
    draw: Callable[[], jax.Array]


class _Local(threading.local):
    def __init__(self) -> None:
        self.made: list[Variable] | None = None
        self.only_shapes = 0


_local = _Local()
# One lock for all variables: drawing one value may read another.
_lock = threading.RLock()


@contextmanager
def deferred_values() -> Generator[list[Variable]]:
    """Within the scope, which belongs to its thread, initial values are drawn at their first read.

    The block gets the list of the variables that are made in it.
    """
    outer, made = _local.made, list["Variable"]()
    _local.made = made
    try:
        yield made
    finally:
        _local.made = outer


def note_made(variable: Variable) -> bool:
    """Return whether the value of a new variable is deferred, and note the variable for the scope if so."""
    if _local.made is None:
        return False
    _local.made.append(variable)
    return True


@contextmanager
def only_shapes() -> Generator[None]:
    """Within the scope nothing is computed, and a value that is not drawn is read as a tracer of its shape."""
    _local.only_shapes += 1
    try:
        yield
    finally:
        _local.only_shapes -= 1


def first_read(attributes: dict[str, Any], first: FirstValue) -> jax.Array:
    """Draw the value of a variable, once for all threads, and keep it among the variable's attributes."""
    if _local.only_shapes:
        return jnp.zeros(first.shape, first.dtype)
    with _lock:
        if "_value" not in attributes:
            value = first.draw()
            attributes.setdefault("_value", value)  # unless it was assigned in the meantime
        return attributes["_value"]
