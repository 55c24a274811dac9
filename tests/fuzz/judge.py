"""What a reader may do with a changed file, and what is a finding.

It may return, or raise ValueError or OSError with a message that names the file. Any other error, a second of processor
time, 50 MB, files that stay open or are written, and anything that the interpreter is asked to run are findings.
"""

from __future__ import annotations

import gc
import os
import re
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.draw import Draw
from tests.fuzz.targets import Target
from tests.hostile.watching import Seen, observe

SECONDS, BYTES = 1.0, 50_000_000
_SOURCE = f"{os.sep}hornbeam{os.sep}"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: in the same way as others with the same `key`; `problem` is empty where that is allowed."""

    key: str
    problem: str = ""


class Judge:
    """Runs a target on changed files, one after the other, in a folder of its own."""

    def __init__(self, target: Target, folder: Path) -> None:
        """`folder` is empty, and is emptied before each run."""
        self.target = target
        self.folder = folder

    def run(self, data: bytes) -> Outcome:
        """Make the file that `data` chooses, read it, and look at what happened."""
        _empty(self.folder)
        try:
            made = self.target.make(Draw(data), self.folder)
        except RecursionError:
            return Outcome("not made: too deep")
        before, opened = _files(self.folder), _open_files()
        ended, problems = [], []
        for call in made if isinstance(made, tuple) else (made,):
            seen = observe(call)
            ended.append(_ended(seen.error))
            problems += self._problems(seen)
        if (new := _files(self.folder) ^ before) != set():
            problems.append(f"files written or removed: {sorted(new)[:5]}")
        seen = None  # or the frames of the error keep files open
        del made, call
        if _open_files() > opened:
            gc.collect()
            if _open_files() > opened:
                problems.append("a file is left open")
        return Outcome("; ".join(ended), "\n".join(problems))

    def _problems(self, seen: Seen) -> list[str]:
        found = []
        error = seen.error
        if isinstance(error, (ValueError, OSError)):
            if not re.search(self.target.told, seen.told):
                found.append(f"the error does not name {self.target.told}: {_traced(error)}")
        elif error is not None:
            found.append(_traced(error))
        if seen.seconds > SECONDS:
            found.append(f"took {seen.seconds:.1f} s of processor time")
        if seen.bytes > BYTES:
            found.append(f"took {seen.bytes / 1e6:.0f} MB")
        if seen.events:
            found.append(f"did what no file may cause: {seen.events[:5]}")
        return found


def _ended(error: BaseException | None) -> str:
    """Return the type of an error and the last line of ours that it passed, or that its cause did."""
    if error is None:
        return "read"
    if error.__cause__ is not None:
        return f"{type(error).__name__} from {_ended(error.__cause__)}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if _SOURCE in f.filename] or list(frames)
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__} {place}"


def _traced(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-6))[-4000:]


def _empty(folder: Path) -> None:
    for place, folders, names in os.walk(folder, topdown=False):
        for name in names:
            os.unlink(os.path.join(place, name))
        for name in folders:
            os.rmdir(os.path.join(place, name))


def _files(folder: Path) -> set[tuple[str, int]]:
    return {
        (path := os.path.join(place, name), os.lstat(path).st_size)
        for place, _, names in os.walk(folder)
        for name in names
    }


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
