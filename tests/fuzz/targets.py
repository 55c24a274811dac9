"""What is fuzzed: readers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

Call = Callable[[], object]
"""Reads what was made."""

Make = Callable[[Random, Path], "Call | tuple[Call, ...]"]
"""Writes a changed file into a folder, or makes one in memory; returns what reads it, in one way or in several."""


@dataclass(frozen=True)
class Target:
    """A reader, and how its files are made."""

    name: str
    make: Make
    told: str
    """A pattern for what every error has to name: the file."""
    smoke: int
    """How many runs a quick test makes."""


TARGETS: dict[str, Target] = {}


def target(told: str, smoke: int = 100) -> Callable[[Make], Make]:
    """Enter a function under its name."""

    def enter(make: Make) -> Make:
        name = make.__name__.strip("_")
        TARGETS[name] = Target(name, make, told, smoke)
        return make

    return enter
