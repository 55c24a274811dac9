"""Every guide runs as it is printed, prints what it says, and shows the same code in both languages."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
NAMES = sorted(path.stem for path in GUIDES.glob("*.md") if not path.stem.endswith(".vi"))

# What a guide supposes to lie in the reader's folder.
FILES = {
    "keras-2-files": {
        "old_model.h5": "cnn.h5",
        "old_model.keras": "functions.keras",
        "old_folder": "cnn",
    }
}

_BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def blocks(name: str) -> list[tuple[str, str]]:
    """The blocks of a guide as (language, text)."""
    return _BLOCK.findall((GUIDES / f"{name}.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_runs_and_prints_what_it_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for wanted, kept in FILES.get(name, {}).items():
        source = ROOT / "tests" / "files" / "keras2" / kept
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / wanted)
    names: dict = {"__name__": "__main__"}
    printed, shown = [], []
    for number, (language, text) in enumerate(blocks(name)):
        if language == "text":
            shown[-1] = text
            continue
        place = f"{name}.md, block {number}"
        lines = (len(text), None, text.splitlines(keepends=True), place)  # AutoGraph reads sources
        monkeypatch.setitem(linecache.cache, place, lines)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, place, "exec"), names)
        printed.append(out.getvalue())
        shown.append("")
    assert printed == shown


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_code(name: str):
    assert blocks(name) == blocks(f"{name}.vi") != []


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.md")), ids=lambda path: path.name)
def test_links_within_the_project_lead_somewhere(path: Path):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert targets and [each for each in targets if not (GUIDES / each).exists()] == []
