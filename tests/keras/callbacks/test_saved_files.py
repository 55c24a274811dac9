"""What is removed with a file that was saved."""

from __future__ import annotations

import json
import os

import pytest

from hornbeam.keras.callbacks.saved_files import remove_saved


def test_an_index_removes_no_file_but_those_made_for_it(tmp_path):
    """A file that was put there may name any path."""
    folder = tmp_path / "run"
    folder.mkdir()
    mine = ["w_00000.weights.h5", "w-2_00001.weights.h5"]
    others = ["v_00000.weights.h5", "notes.txt", "../w_00000.weights.h5"]
    for name in mine + others:
        (folder / name).write_text("")
    index = {"weight_map": {"/a": [*mine, *others, 3], "/b": mine[0]}}
    (folder / "w.weights.json").write_text(json.dumps(index))
    remove_saved(str(folder / "w.weights.json"))
    assert sorted(os.listdir(folder)) == ["notes.txt", "v_00000.weights.h5"]
    assert sorted(os.listdir(tmp_path)) == ["run", "w_00000.weights.h5"]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}']
)
def test_what_is_no_index_goes_alone(tmp_path, content):
    (tmp_path / "w.weights.json").write_text(content)
    (tmp_path / "w_00000.weights.h5").write_text("")
    remove_saved(str(tmp_path / "w.weights.json"))
    assert os.listdir(tmp_path) == ["w_00000.weights.h5"]
