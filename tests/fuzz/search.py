"""Looking for inputs that do something new: with atheris where it is installed, else by the lines that are run."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import hornbeam
from tests.fuzz.changes import changed
from tests.fuzz.judge import Outcome

Run = Callable[[bytes], Outcome]

LONGEST = 4096  # bytes of choices
_READERS = ("keras/saving/", "keras/registry/", "train/", "core/protobuf.py")
_SOURCE = str(Path(hornbeam.__file__).parent) + os.sep


def search(run: Run, draw: Random, seconds: float, runs: int | None = None) -> int:
    """Run inputs until the time is over, or so many; keep those that reach new lines or end in a new way, and change them."""
    corpus: list[bytes] = []
    known: set[Any] = set()
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end and (runs is None or done < runs):
        data = _next(corpus, draw)
        lines: set[Any] = set()
        with lines_run(lines):
            outcome = run(data)
        lines.add(outcome.key)
        if not lines <= known:
            known |= lines
            corpus.append(data)
        done += 1
    return done


def _next(corpus: list[bytes], draw: Random) -> bytes:
    if not corpus or draw.random() < 0.3:
        return draw.randbytes(draw.choice([16, 64, 256, 1024]))
    data = draw.choice(corpus)
    if draw.random() < 0.2:  # the choices of one up to some point, then those of another
        cut, other = draw.randrange(len(data) + 1), draw.choice(corpus)
        data = data[:cut] + other[min(cut, len(other)) :]
    return changed(data, draw)[:LONGEST]


@contextlib.contextmanager
def lines_run(found: set[Any]) -> Iterator[None]:
    """Collect the lines of the readers that are run inside."""

    def local(frame: FrameType, event: str, _: Any) -> Any:
        found.add((frame.f_code, frame.f_lineno))
        return local

    def entered(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        return (
            local
            if name.startswith(_SOURCE) and name[len(_SOURCE) :].startswith(_READERS)
            else None
        )

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield
    finally:
        sys.settrace(before)


def search_with_atheris(run: Run, seed: int, seconds: float, corpus: Path) -> None:
    """Let atheris choose the inputs, for whole seconds; this ends the process.

    `corpus` is a folder, in which it keeps what was new. The readers must have been imported under `instrumented`.
    """
    import atheris  # not a requirement of the tests

    options = [
        f"-max_total_time={max(int(seconds), 1)}",
        f"-seed={seed + 1}",
        f"-max_len={LONGEST}",
    ]
    options += [
        "-rss_limit_mb=1500",
        "-timeout=300",
        "-print_final_stats=1",
        "-len_control=0",
        str(corpus),
    ]
    atheris.Setup([sys.argv[0], *options], lambda data: run(data) and None)
    atheris.Fuzz()
