"""Break the code on purpose, place by place, and see that the named tests fail: `make mutants [ONLY=word]`.

Each edit is made in a copy of the tree. A mutant that no named test notices has survived: it is listed, with its reason
where there is one. More survivors than one in twenty are a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.edit import ROOT, Edit, complaints
from tests.mutants.edits import EDITS

COPIED = ("src", "tests", "conftest.py", "pyproject.toml", "csrc", "examples", "docs", "README.md")
MOST_SURVIVORS = 0.05
LONGEST = 180.0  # seconds: a program that runs on for ever has been noticed too


def failing(edit: Edit, tree: Path) -> str | None:
    """Return the test that fails in the tree with the edit, None where none does."""
    path = tree / edit.file
    before = path.read_text()
    path.write_text(before.replace(edit.old, edit.new))
    try:
        return _failing(edit.tests, tree)
    finally:
        path.write_text(before)


def _failing(tests: Iterable[str], tree: Path) -> str | None:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            preexec_fn=_hear_ctrl_c,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {LONGEST:.0f} s"
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"killed by signal {-done.returncode}"
    if done.returncode != 1:
        sys.exit(f"{' '.join(tests)} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found.group(1) if found else "a test"


def _hear_ctrl_c() -> None:
    """Undo what a shell does to jobs in the background: there are tests of Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main(only: str) -> int:
    """Try the edits whose file, text or tests have the word; return the exit status."""
    edits = [each for each in EDITS if only in " ".join((each.file, each.old, *each.tests))]
    if wrong := complaints(edits):
        sys.exit(
            "Edits that no longer fit the code; change them in tests/mutants:\n" + "\n".join(wrong)
        )
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tree / name)
        if test := _failing(sorted({test for each in edits for test in each.tests}), tree):
            sys.exit(f"Without any edit, this fails: {test}")
        for each in edits:
            test = failing(each, tree)
            print(
                "noticed " if test else "SURVIVED",
                each.file,
                repr(each.old[:60]),
                test or "",
                flush=True,
            )
            if not test:
                survivors.append(each)
    for each in survivors:
        print(f"{each.file}: {each.old!r} -> {each.new!r}: {each.reason or 'NO REASON'}")
    print(f"{len(edits) - len(survivors)} of {len(edits)} were noticed.")
    return len(survivors) > MOST_SURVIVORS * len(edits)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
