"""An edit: a place in the code that is broken on purpose, and the tests that have to notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Edit:
    """`old` stands once in `file` and becomes `new`; one of `tests` has to fail. `reason`: why a survivor may live."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    reason: str = ""


def edit(file: str, old: str, new: str, *tests: str, reason: str = "") -> Edit:
    """Return an edit of a file below src/hornbeam; the tests are below tests/, as `file.py`, `file.py::test` or with a parameter."""
    return Edit(f"src/hornbeam/{file}", old, new, tuple(f"tests/{each}" for each in tests), reason)


def complaints(edits: Sequence[Edit]) -> list[str]:
    """Return what is wrong: an old text that does not stand exactly once in its file, a test that does not exist."""
    wrong = []
    for each in edits:
        path = ROOT / each.file
        count = path.read_text().count(each.old) if path.is_file() else 0
        if count != 1:
            wrong.append(f"{each.file}: the text to replace is there {count} times: {each.old!r}")
        if each.old == each.new:
            wrong.append(f"{each.file}: nothing is changed: {each.old!r}")
        wrong += [f"{name} does not exist" for name in each.tests if not _exists(name)]
        if not each.tests:
            wrong.append(f"{each.file}: no test is named: {each.old!r}")
    return wrong


def _exists(test: str) -> bool:
    name, _, function = test.partition("::")
    path = ROOT / name
    if not path.is_file():
        return False
    return not function or f"def {function.partition('[')[0]}(" in path.read_text()
