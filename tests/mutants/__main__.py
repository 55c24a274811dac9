"""Break the code on purpose, place by place, and see that the named tests fail: `make mutants [ONLY=word]`.

Each edit is made in a copy of the tree. A mutant that no named test notices has survived: it is listed, with its reason
where there is one. More survivors than one in twenty are a failure.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from tests.mutants.edit import ROOT, complaints
from tests.mutants.edits import EDITS
from tests.mutants.running import failing, failing_as_it_is

# With the programs that tests have compiled: most stay the same in spite of an edit.
COPIED = (
    ".pytest_cache",
    "src",
    "tests",
    "conftest.py",
    "pyproject.toml",
    "csrc",
    "examples",
    "docs",
    "README.md",
)
MOST_SURVIVORS = 0.05


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
        for name in filter(lambda name: (ROOT / name).exists(), COPIED):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, tree / name)
        _copy_built(tree)
        if test := failing_as_it_is(sorted({test for each in edits for test in each.tests}), tree):
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


def _copy_built(tree: Path) -> None:
    """Copy the native kernels, which an editable installation keeps outside of the source tree."""
    found = importlib.util.find_spec("hornbeam.kernels._native")
    for library in Path(found.origin).parent.glob("*.so*") if found and found.origin else ():
        shutil.copy2(library, tree / "src" / "hornbeam" / "kernels")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
