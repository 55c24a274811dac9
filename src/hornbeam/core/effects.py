"""Calls from programs into Python: their errors are kept for whoever called the program.

JAX tells of an error in a callback by its text alone. So the callback keeps the error and returns a stand-in; the program
goes on, and `settle`, after its end, raises the error itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import jax


class _Local(threading.local):
    def __init__(self) -> None:
        self.errors: list[BaseException] | None = None


_local = _Local()
_muted = 0


@contextmanager
def collected(errors: list[BaseException] | None = None) -> Generator[list[BaseException]]:
    """Keep the errors of callbacks that are traced within the context in a list, for `settle`: this one, or a new one."""
    kept = [] if errors is None else errors
    saved, _local.errors = _local.errors, kept
    try:
        yield kept
    finally:
        _local.errors = saved


def is_collecting() -> bool:
    """Return whether the errors of callbacks are kept: whoever runs the program that is being traced is told of them."""
    return _local.errors is not None


@contextmanager
def muted() -> Generator[None]:
    """Let callbacks return their stand-ins within the context, without being called."""
    global _muted
    _muted += 1
    try:
        yield
        jax.effects_barrier()
    finally:
        _muted -= 1


def kept(fn: Callable[..., Any], stand_in: Callable[[], Any]) -> Callable[..., Any]:
    """Return `fn` for a callback: where errors are collected, it keeps its own and returns `stand_in()`."""
    errors = _local.errors

    def run(*arrays: Any) -> Any:
        if _muted or errors:  # after an error nothing more is done
            return stand_in()
        try:
            return fn(*arrays)
        except BaseException as error:
            if errors is None:
                raise
            errors.append(error)
            return stand_in()

    return run


def settle(errors: list[BaseException]) -> None:
    """Wait for all callbacks and raise the first error."""
    jax.effects_barrier()
    if errors:
        first = errors[0]
        errors.clear()
        raise first
