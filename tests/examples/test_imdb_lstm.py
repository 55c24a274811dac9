"""The review classifier of examples/imdb_lstm.py on the real reviews."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "imdb_lstm.py"


@pytest.mark.slow
def test_an_lstm_learns_to_read_reviews(imdb_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBEAM_DATASETS", str(imdb_file.parent))
    accuracy = runpy.run_path(str(SCRIPT))["main"]()
    assert accuracy >= 0.84


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_reviews = runpy.run_path(str(SCRIPT))["find_reviews"]
    monkeypatch.setenv("HORNBEAM_DATASETS", str(tmp_path))
    with pytest.raises(SystemExit, match=f"{tmp_path}/imdb_ids.npz"):
        find_reviews()
    monkeypatch.delenv("HORNBEAM_DATASETS")
    with pytest.raises(SystemExit, match="HORNBEAM_DATASETS"):
        find_reviews()
