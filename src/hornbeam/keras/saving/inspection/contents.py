"""What was found in a file."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from hornbeam.keras.saving import safe_json
from hornbeam.keras.saving.comparison import Entry

_DIGITS = re.compile(r"(\d{1,9})")

Check = Callable[[], None]
"""Raises ValueError or OSError where something is damaged."""


@dataclass(frozen=True)
class Array:
    """An array: where it stands, and what is known before it is read."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    problem: str | None = None

    @property
    def size(self) -> int:
        """Bytes in memory; 0 where the type is not one of numbers."""
        try:
            return math.prod(self.shape) * np.dtype(self.dtype).itemsize
        except TypeError:
            return 0


@dataclass
class Contents:
    """All that `show` prints and `check` goes through."""

    kind: str
    facts: dict[str, str] = field(default_factory=dict)
    """Versions, the date, and the like."""
    members: dict[str, int] = field(default_factory=dict)
    """The files in an archive or a folder, with their sizes in bytes."""
    config: Any = None
    """The configuration of a model, as JSON has it."""
    training: Any = None
    """How it was compiled."""
    arrays: list[Array] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)
    """What `check` does, by what it is about."""
    has_checksums: bool = False
    """Whether every byte of an array is covered: a flipped one is found then."""

    def add_entries(self, entries: Iterable[Entry], place: str = "") -> None:
        """Take in arrays; reading them is a check."""
        for entry in sorted(entries, key=lambda each: natural(each.path)):
            path = place + entry.path
            self.arrays.append(Array(path, entry.dtype, tuple(entry.shape), entry.problem))
            self.checks[path] = lambda entry=entry: read(entry)


def natural(path: str) -> list[tuple[int, str]]:
    """Return a key that sorts dense_2 before dense_10."""
    return [(int(each), "") if each.isdecimal() else (0, each) for each in _DIGITS.split(path)]


def read(entry: Entry) -> None:
    """Read an array, and forget it."""
    if entry.problem is not None or entry.read is None:
        raise ValueError(f"{entry.path} {entry.problem}.")
    entry.read()


def text_of(value: Any) -> str | None:
    """Return a text as it is, bytes as text, None for all else."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def json_of(value: Any, what: str) -> Any:
    """Return the value of JSON in a text, or None where there is none."""
    text = text_of(value)
    return None if text is None else safe_json.parse(text.encode(), what)


def sha256(stream: BinaryIO) -> str:
    """Return the SHA-256 of a stream in hexadecimal digits."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def check_hash(found: str, expected: object, what: str) -> None:
    """Raise ValueError where a SHA-256 is not the one that is expected."""
    if found != expected:
        raise ValueError(f"{what} has changed: its SHA-256 is another one.")
