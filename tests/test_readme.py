"""The quick start of the README works as printed, and says the same in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hornbeam import keras

ROOT = Path(__file__).parent.parent


def code(name: str) -> list[str]:
    """The Python blocks of a Markdown file at the root."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_both_languages_show_the_same_code():
    assert code("README.md") == code("README.vi.md") != []


@pytest.mark.parametrize(
    "name", ["README.md", "README.vi.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]
)
def test_links_within_the_project_lead_somewhere(name: str):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_quick_start_runs(monkeypatch, mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    few = (x_train[:256], y_train[:256]), (x_test[:64], y_test[:64])
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: few)
    names: dict = {}
    exec(compile(code("README.md")[0], "README.md", "exec"), names)
    assert names["model"].count_params() == 121930
