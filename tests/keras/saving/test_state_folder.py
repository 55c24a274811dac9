"""Checkpoints of training in a folder: whole or not there, the newest first, damage noticed."""

from __future__ import annotations

import contextlib
import json
import os

import numpy as np
import pytest

from hornbeam.keras.saving import state_folder
from hornbeam.keras.saving.plain_data import decode
from hornbeam.keras.saving.state_folder import (
    DamagedStateError,
    newest_state,
    remove_states,
    write_state,
)

DATA = {
    "epoch": 3,
    "best": float("inf"),
    "nan": float("nan"),
    "none": None,
    "nested": [{"a": (1, 2.5), 7: {"x", "y"}}, b"bytes", "text", True],
    "array": np.arange(6, dtype="int8").reshape(2, 3),
    "number": np.float32(0.1),
    "big": 1 << 100,
}


def write(folder, epoch=0, keep=1):
    arrays = {
        "a/vars/kernel": np.full((2, 2), epoch, "float32"),
        "a/vars/half": np.ones(3, "bfloat16"),
    }
    return write_state(str(folder), arrays, {**DATA, "epoch": epoch}, keep)


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / "deep" / "er", 3)
    found = newest_state(str(tmp_path / "deep" / "er"))
    np.testing.assert_equal(found.data, DATA)
    assert type(found.data["number"]) is np.float32 and found.data["array"].dtype == "int8"
    with found.entries() as entries:
        assert sorted(entries) == ["a/vars/half", "a/vars/kernel"]
        assert entries["a/vars/half"].read().dtype.name == "bfloat16"
        kernel = entries["a/vars/kernel"]
        assert kernel.shape == (2, 2) and float(kernel.read()[1, 1]) == 3


def test_there_is_none(tmp_path):
    assert newest_state(str(tmp_path / "missing")) is None
    (tmp_path / "notes.txt").write_text("mine")
    assert newest_state(str(tmp_path)) is None


@pytest.mark.parametrize("keep", [1, 2])
def test_the_last_ones_are_kept(tmp_path, keep):
    for epoch in range(3):
        write(tmp_path, epoch, keep)
        assert len(os.listdir(tmp_path)) == min(epoch + 1, keep)
    assert newest_state(str(tmp_path)).data["epoch"] == 2


def cut(path):
    os.truncate(path, os.path.getsize(path) - 1)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, flip, empty, os.unlink])
@pytest.mark.parametrize("file", ["state.h5", "state.json"])
def test_damage_is_noticed(tmp_path, file, damage):
    write(tmp_path, 1, keep=2)
    newest = write(tmp_path, 2, keep=2)
    damage(tmp_path / newest / file)
    with pytest.warns(UserWarning, match=r"state-000002 is damaged.*goes on from the one before"):
        assert newest_state(str(tmp_path)).data["epoch"] == 1
    damage(tmp_path / "state-000001" / file)
    with pytest.raises(DamagedStateError, match=r"No checkpoint in .* can be read"):
        newest_state(str(tmp_path))


def test_text_that_was_edited(tmp_path):
    path = tmp_path / write(tmp_path) / "state.json"
    content = json.loads(path.read_text())
    content["data"]["dict"][0][1] = 9
    path.write_text(json.dumps(content))
    with pytest.raises(DamagedStateError, match=r"the text of state\.json has changed"):
        newest_state(str(tmp_path))


CALLS = ("mkdir", "rename", "fsync")


@pytest.mark.parametrize("call", CALLS)
def test_any_failing_call_leaves_the_old_or_the_new_one(tmp_path, call, monkeypatch):
    real = getattr(os, call)
    write(tmp_path, 1)
    for failing in range(8):
        count = iter(range(100))

        def broken(*args, real=real, count=count, failing=failing, **kwargs):
            if next(count) == failing:
                raise OSError(28, "No space left on device")
            return real(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(state_folder.os, call, broken)
            with contextlib.suppress(OSError):
                write(tmp_path, 2)
        assert newest_state(str(tmp_path)).data["epoch"] in (1, 2)
        write(tmp_path, 1)
        assert os.listdir(tmp_path) == [os.path.basename(newest_state(str(tmp_path)).path)]


def test_state_that_is_no_data_is_named(tmp_path):
    write(tmp_path, 1)
    with pytest.raises(TypeError, match=r"holds function .* at \['callbacks'\]\[0\]\['f'\]"):
        write_state(str(tmp_path), {}, {"callbacks": [{"f": write}]}, 1)
    assert newest_state(str(tmp_path)).data["epoch"] == 1 and len(os.listdir(tmp_path)) == 1


def test_removing_leaves_what_is_not_ours(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b")
    (tmp_path / "b" / "notes.txt").write_text("mine")
    remove_states(str(tmp_path / "a"))
    remove_states(str(tmp_path / "b"))
    assert os.listdir(tmp_path) == ["b"] and os.listdir(tmp_path / "b") == ["notes.txt"]


@pytest.mark.parametrize("names", [[["a"]], [1], {"a": 1}, None, 3])
def test_names_of_arrays_are_texts(tmp_path, names):
    """The hash is right: whoever writes a state can make any file."""
    path = write(tmp_path)
    place = os.path.join(path, "state.json")
    with open(place) as file:
        content = json.load(file)
    del content["sha256"]
    content["arrays"] = names
    content["sha256"] = state_folder._hash_of_json(content)
    with open(place, "w") as file:
        json.dump(content, file)
    with pytest.raises(DamagedStateError, match="state-000001"):
        state_folder.StoredState(path)


def test_long_data_come_back_and_what_could_not_is_not_written(tmp_path, monkeypatch):
    history = [[] for _ in range(201_000)]  # more than a configuration may have
    write_state(str(tmp_path), {}, {"history": history})
    assert newest_state(str(tmp_path)).data["history"] == history
    monkeypatch.setattr(state_folder, "_LIMITS", (1 << 30, 1000))
    with pytest.raises(ValueError, match=r"What callbacks and data sets keep.*100 lists"):
        write_state(str(tmp_path), {}, {"history": history})
    assert os.listdir(tmp_path) == ["state-000001"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": ' * 300 + "1" + "}" * 300, "nested more than 200 deep"),
        ("[" + "[]," * 2_000_001 + "1]", "or 2000000 lists and objects"),
        ('{"format": 1, "format": 2}', "the key 'format' stands twice"),
        ('{"format": ' + "1" * 500 + "}", "a number of 500 digits"),
    ],
    ids=["deep", "many", "twice", "digits"],
)
def test_json_that_asks_for_much_is_refused(tmp_path, text, told):
    path = tmp_path / write(tmp_path) / "state.json"
    path.write_text(text)
    with pytest.raises(DamagedStateError, match=told):
        newest_state(str(tmp_path))


def test_what_a_killed_process_was_about_to_remove_goes(tmp_path):
    write(tmp_path)
    os.rename(tmp_path / "state-000001", tmp_path / ".state-removed-1")
    assert newest_state(str(tmp_path)) is None
    write(tmp_path)
    assert os.listdir(tmp_path) == ["state-000001"]


def test_a_process_that_is_killed_while_it_removes_leaves_no_half_under_a_name(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(state_folder, "remove", lambda path: None)
    write(tmp_path, 1)
    write(tmp_path, 2)
    assert [name for name in os.listdir(tmp_path) if name.startswith("state")] == ["state-000002"]


def test_a_file_that_may_not_be_read_is_not_damaged(tmp_path, monkeypatch):
    write(tmp_path)

    def refused(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(state_folder, "_read_json", refused)
    with pytest.raises(PermissionError):
        newest_state(str(tmp_path))


def test_another_version_and_a_cut_file_are_told(tmp_path):
    path = tmp_path / write(tmp_path)
    cut(path / "state.h5")
    with pytest.raises(DamagedStateError, match=r"state\.h5 has \d+ bytes, not \d+"):
        newest_state(str(tmp_path))
    content = json.loads((path / "state.json").read_text())
    del content["sha256"]
    content["format"] += "1"
    content["sha256"] = state_folder._hash_of_json(content)
    (path / "state.json").write_text(json.dumps(content))
    with pytest.raises(DamagedStateError, match="no state of training that this version reads"):
        newest_state(str(tmp_path))


@pytest.mark.parametrize("data", [{}, {"dict": [], "tuple": []}, {"code": "x"}])
def test_data_of_another_form_are_told(data):
    with pytest.raises(ValueError, match=r"one tag|the unknown tag 'code'"):
        decode(data, {}.__getitem__)
