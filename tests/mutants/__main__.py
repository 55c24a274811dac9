"""Break the code on purpose, place by place, and see that the named tests fail: `make mutants [ONLY=word]`.

Each edit is made in a copy of the tree. A mutant that no named test notices has survived: it is listed, with its reason
where there is one, and more than one in twenty without is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutants.edits import EDITS, Edit

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "tests", "conftest.py", "pyproject.toml", "csrc", "examples", "docs", "README.md")
MOST_SURVIVORS = 0.05


def check(edits: list[Edit]) -> None:
    """Exit unless each old text stands exactly once in its file and each test exists."""
    wrong = []
    for edit in edits:
        path = ROOT / edit.file
        count = path.read_text().count(edit.old) if path.is_file() else 0
        if count != 1:
            wrong.append(f"{edit.file}: the text to replace is there {count} times: {edit.old!r}")
        wrong += [f"{name} is gone" for name in edit.tests if not _exists(name)]
    if wrong:
        sys.exit(
            "Edits that fit the code no more; mend tests/mutants/edits.py:\n" + "\n".join(wrong)
        )


def _exists(test: str) -> bool:
    return (ROOT / test.partition("::")[0]).exists()


def noticed(edit: Edit, tree: Path) -> bool:
    """Return whether one of the edit's tests fails in the tree with the edit."""
    path = tree / edit.file
    before = path.read_text()
    path.write_text(before.replace(edit.old, edit.new))
    try:
        return _status(edit.tests, tree) == 1
    finally:
        path.write_text(before)


def _status(tests: tuple[str, ...], tree: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", *tests]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(tests)} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode


def main(only: str) -> int:
    """Try the edits whose file or text has the word; return the exit status."""
    edits = [edit for edit in EDITS if only in edit.file or only in edit.old]
    check(edits)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tree / name)
        for test in sorted({test for edit in edits for test in edit.tests}):
            if _status((test,), tree):
                sys.exit(f"{test} fails without any edit.")
        for edit in edits:
            found = noticed(edit, tree)
            print("noticed " if found else "SURVIVED", edit.file, repr(edit.old[:60]), flush=True)
            if not found:
                survivors.append(edit)
    for edit in survivors:
        print(f"{edit.file}: {edit.old!r} -> {edit.new!r}: {edit.reason or 'NO REASON'}")
    print(f"{len(edits) - len(survivors)} of {len(edits)} were noticed.")
    return len(survivors) > MOST_SURVIVORS * len(edits)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
