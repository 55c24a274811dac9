"""What Hornbeam has of TensorFlow's public names, room by room: `make api` prints it.

`tf_signatures.txt` says what TensorFlow has, `tf_left_out.py` what is left out on purpose and why.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import hornbeam
from tests.contract.parameters import DIFFERENT, difference
from tests.contract.tf_left_out import LEFT_OUT, TO_COME

TENSORFLOW = Path(__file__).with_name("tf_signatures.txt")


class Name(NamedTuple):
    """A public name of TensorFlow."""

    path: str
    kind: str
    entries: list[str]

    @property
    def room(self) -> str:
        return self.path.rpartition(".")[0]


def names() -> list[Name]:
    """Return every line of the list of TensorFlow's names, methods too."""
    rows = (line.split("\t") for line in TENSORFLOW.read_text().splitlines())
    return [Name(path, kind, entries) for path, kind, *entries in rows]


_ABSENT = object()


def find(path: str) -> Any:
    """Return Hornbeam's object of that name, or a mark that there is none."""
    found: Any = hornbeam
    for part in path.split(".")[1:]:
        found = getattr(found, part, _ABSENT)
    return found


def is_there(path: str) -> bool:
    return find(path) is not _ABSENT


def is_listed(path: str, table: dict[str, str]) -> bool:
    """Return whether the table has the name, or a pattern that fits it."""
    return any(fnmatchcase(path, each) for text in table.values() for each in text.split())


def table() -> str:
    """Return the coverage of each room as text, then what it lacks, by reason."""
    rooms: dict[str, list[Name]] = {}
    for name in names():
        if name.kind != "method":
            rooms.setdefault(name.room, []).append(name)
    lines = [f"{'room':32}{'names':>6}{'there':>7}{'equal':>7}{'share':>7}"]
    sums = [0, 0, 0]
    for room, listed in sorted(rooms.items()):
        there = [each for each in listed if is_there(each.path)]
        equal = [
            each
            for each in there
            if each.path in DIFFERENT
            or each.entries == ["?"]
            or not callable(find(each.path))
            or not difference(find(each.path), each.entries)
        ]
        counts = [len(listed), len(there), len(equal)]
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
        lines.append(_row(room, *counts))
    lines.append(_row("together", *sums))
    missing = [each.path for listed in rooms.values() for each in listed if not is_there(each.path)]
    for title, known in (("Left out on purpose", LEFT_OUT), ("To come", TO_COME)):
        lines.append(f"\n{title}:")
        for reason, text in known.items():
            found = [each for each in missing if is_listed(each, {reason: text})]
            lines.append(f"- {reason}\n    {' '.join(found)}")
    return "\n".join(lines)


def _row(room: str, there: int, found: int, equal: int) -> str:
    return f"{room:32}{there:6}{found:7}{equal:7}{equal / there:7.0%}"


if __name__ == "__main__":
    print(table())
