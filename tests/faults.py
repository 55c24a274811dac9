"""What goes wrong in writing: the n-th call of whatever kind fails, files are limited, two threads write one file."""

from __future__ import annotations

import builtins
import errno
import os
import resource
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hornbeam.core import atomic_folder, steady

# What the writing of files calls; `write` is added below, for it is a method of the open file.
CALLS = (
    (os, "fsync"),
    (os, "fdatasync"),
    (os, "link"),
    (os, "replace"),
    (os, "rename"),
    (os, "mkdir"),
    (os, "chmod"),
    (os, "fchmod"),
    (atomic_folder, "_exchanged"),
)


class Fault:
    """A block in which the n-th call fails; `fired` says whether it came so far."""

    def __init__(self, nth: int, number: int, buffer: int) -> None:
        self._left, self._number, self._buffer = nth, number, buffer
        self._patch = pytest.MonkeyPatch()
        self.calls: list[str] = []
        self.fired = False

    def count(self, name: str) -> None:
        self.calls.append(name)
        self._left -= 1
        if self._left == 0:
            self.fired = True
            raise OSError(self._number, os.strerror(self._number))

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count(name)
            # Nobody cuts the power here, and waiting for the disk is most of the time.
            return None if name in ("fsync", "fdatasync") else function(*args, **kwargs)

        return call

    def __enter__(self) -> Fault:
        fault = self

        def opened_anywhere(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
            is_ours = "w" in mode and ".part" in str(path)
            return steady.steady_open(path) if is_ours else real_open(path, mode, *rest, **options)

        real_open, real_write = builtins.open, steady._SteadyFile.write

        def write(file: Any, data: Any) -> int:
            fault.count("write")
            return real_write(file, data)

        self._patch.setattr(builtins, "open", opened_anywhere)  # files in a folder
        self._patch.setattr(steady._SteadyFile, "write", write)
        self._patch.setattr(steady, "BUFFER", self._buffer)
        for module, name in CALLS:
            self._patch.setattr(module, name, self._counted(name, getattr(module, name)))
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


def faults(number: int = errno.ENOSPC, limit: int = 300, buffer: int = 1 << 14) -> Iterator[Fault]:
    """Yield blocks that fail at the first, second, ... call, the last of them not at all."""
    for nth in range(1, limit):
        fault = Fault(nth, number, buffer)
        yield fault
        if not fault.fired:
            return
    raise AssertionError("it never came to an end")


@contextmanager
def files_limited(size: int) -> Generator[None]:
    """Let the system refuse files of more than `size` bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def errors_of_threads(write: Callable[[Any], object], values: Iterable[Any]) -> list[BaseException]:
    """Let a thread for each of `values` write it again and again; return what they raise."""
    errors: list[BaseException] = []

    def again(value: Any) -> None:
        try:
            for _ in range(15):
                write(value)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=again, args=(value,)) for value in values]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return errors
