"""`show` and `check`: every format is told by its content, damage has exit status 1, and nothing in a file reaches the terminal raw."""

import io
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.cli import check, show
from hornbeam.keras.saving.state_folder import write_state

FILES = Path(__file__).parents[1] / "files"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with one small model in every format of ours."""
    folder = tmp_path_factory.mktemp("saved")
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(20, activation="relu", name="a"),
            keras.layers.Dense(2),
        ],
        name="small",
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.layers[0].bias.assign(np.full(20, 0.7251))
    model.save(folder / "m.keras")
    model.save(folder / "unzipped", zipped=False)
    model.save_weights(folder / "m.weights.h5")
    model.save_weights(folder / "m.safetensors")
    model.save_weights(folder / "s.weights.json", max_shard_size=400 / 1024**3)
    write_state(str(folder / "run"), {v.path: v.numpy() for v in model.variables}, {"epoch": 3})
    shutil.copy(FILES / "keras2" / "cnn.h5", folder / "old.h5")
    shutil.copytree(FILES / "keras2" / "cnn", folder / "cnn")
    for each in (FILES / "tensorflow").glob("types.*"):
        shutil.copy(each, folder)
    return folder


MODEL = [
    "keras version: 3.15.1",
    "hornbeam version: ",
    "model.weights.h5",
    "Model: Sequential 'small'",
    "Dense       units=20, activation=relu",
    "optimizer  Adam(learning_rate=0.001",
    "loss       mse",
    "metrics    [mae]",
    "layers/dense/vars/0    float32  (4, 20)",
]
SHOWN = {
    "m.keras": ["Whole model in a .keras archive", *MODEL],
    "unzipped": ["Whole model in a .keras folder", *MODEL],
    "m.weights.h5": [
        "Weights in HDF5",
        "layers/dense/vars/0    float32  (4, 20)",
        "6 arrays, 580 B",
    ],
    "m.safetensors": [
        "Weights in safetensors",
        "model: Sequential",
        "layers/dense/kernel    float32  (4, 20)",
    ],
    "s.weights.json": [
        "Index of weights in several files",
        "s_00001.weights.h5",
        "s_00000.weights.h5: layers/dense/vars/0    float32  (4, 20)",
    ],
    "old.h5": [
        "Whole model in legacy HDF5",
        "keras version: 2.21.0",
        "Model: Sequential 'sequential'",
        "units=3, activation=softmax",
        "optimizer  Custom>Adam(learning_rate=0.00999",
        "loss       sparse_categorical_crossentropy",
        "model_weights/dense/dense/kernel:0",
    ],
    "cnn": [
        "SavedModel folder of TensorFlow",
        "keras_metadata.pb",
        "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE            float32  (3, 3, 2, 4)",
    ],
    "run/state-000001": ["State of a training", "state.h5", "small/a/kernel"],
    "types": ["Checkpoint of TensorFlow", "types.index", "complex64/.ATTRIBUTES/VARIABLE_VALUE"],
    "types.index": ["Checkpoint of TensorFlow", "bfloat16    (2, 3)"],
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_in_a_file_is_shown(saved, name, capsys):
    assert show.main([str(saved / name)]) == 0
    text = capsys.readouterr().out
    for line in SHOWN[name]:
        assert line in text


@pytest.mark.parametrize("name", SHOWN)
def test_whole_files_are_whole(saved, name, capsys):
    assert check.main([str(saved / name)]) == 0
    text = capsys.readouterr().out
    assert " is whole: " in text
    assert ("checksums agree" in text) != ("has no checksums" in text)


# What is damaged, and the file to damage.
DAMAGED = {
    "m.keras": "m.keras",
    "unzipped": "unzipped/model.weights.h5",
    "m.weights.h5": "m.weights.h5",
    "m.safetensors": "m.safetensors",
    "s.weights.json": "s_00001.weights.h5",
    "old.h5": "old.h5",
    "cnn": "cnn/variables/variables.data-00000-of-00001",
    "run/state-000001": "run/state-000001/state.h5",
    "types": "types.data-00000-of-00001",
    "types.index": "types.index",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_cut_files_have_exit_status_1(saved, name, tmp_path, capsys):
    shutil.copytree(saved, tmp_path / "c")
    damaged = tmp_path / "c" / DAMAGED[name]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert check.main([str(tmp_path / "c" / name)]) == 1
    told = "".join(capsys.readouterr())
    assert Path(DAMAGED[name]).name.partition(".")[0] in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "damaged", "text"),
    [
        ("types", "types.data-00000-of-00001", "has another checksum"),
        ("m.keras", "m.keras", "the checksum of model.weights.h5 is wrong"),
        ("unzipped", "unzipped/model.weights.h5", "the values of layers/dense/vars/1 are not"),
        ("m.weights.h5", "m.weights.h5", "the values of layers/dense/vars/1 are not"),
        ("s.weights.json", "s_00000.weights.h5", "the values of layers/dense/vars/1 are not"),
        ("unzipped", "unzipped/config.json", "config.json has changed"),
        ("run/state-000001", "run/state-000001/state.h5", "the bytes of state.h5 have changed"),
    ],
)
def test_a_flipped_bit_is_found_where_there_are_checksums(
    saved, tmp_path, capsys, name, damaged, text
):
    shutil.copytree(saved, tmp_path / "c")
    path = tmp_path / "c" / damaged
    data = bytearray(path.read_bytes())
    # A number of a weight, or a letter in a text.
    place = data.find(np.full(20, 0.7251, "float32").tobytes())
    data[place if place > 0 else len(data) // 2] ^= 1
    path.write_bytes(data)
    assert check.main([str(tmp_path / "c" / name)]) == 1
    assert text in "".join(capsys.readouterr())


def test_a_member_that_was_removed_is_told(saved, tmp_path, capsys):
    shutil.copytree(saved, tmp_path / "c")
    (tmp_path / "c" / "unzipped" / "model.weights.h5").unlink()
    assert check.main([str(tmp_path / "c" / "unzipped")]) == 1
    assert "holds no model.weights.h5" in capsys.readouterr().out


def test_a_missing_file_of_a_set_is_named(saved, tmp_path, capsys):
    shutil.copytree(saved, tmp_path / "c")
    (tmp_path / "c" / "s_00001.weights.h5").unlink()
    assert check.main([str(tmp_path / "c" / "s.weights.json")]) == 1
    assert "s_00001.weights.h5, which is not there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "name", "content", "text"),
    [
        ("none", "a.txt", b"", "There is no file, folder or checkpoint"),
        ("a.txt", "a.txt", b"hello, world", "of no known format"),
        ("folder", "folder/x", b"", "a folder of no known kind"),
        ("run", "run/checkpoint", b"", "is a folder of checkpoints"),
    ],
)
def test_what_is_no_model_has_exit_status_2(tmp_path, capsys, target, name, content, text):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    for command in (show, check):
        assert command.main([str(tmp_path / target)]) == 2
        assert text in capsys.readouterr().err


def test_names_from_a_file_can_do_nothing_to_a_terminal(tmp_path, capsys):
    name = "a\x1b]0;owned\x07\n\u202e" + "x" * 500
    header = {name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    text = json.dumps(header).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4)
    assert show.main([str(tmp_path / "m.safetensors")]) == 0
    assert check.main([str(tmp_path / "m.safetensors")]) == 0
    printed = capsys.readouterr().out
    assert r"a\x1b]0;owned\x07\n\u202exx" in printed
    assert all(c.isprintable() for line in printed.split("\n") for c in line)
    assert max(map(len, printed.splitlines())) < 300


def test_an_empty_file_is_a_damaged_one(tmp_path, capsys):
    (tmp_path / "m.keras").touch()
    assert check.main([str(tmp_path / "m.keras")]) == 1
    assert "m.keras is empty" in capsys.readouterr().err


def test_nothing_is_written(saved):
    before = {each: each.stat().st_mtime_ns for each in saved.rglob("*")}
    for name in SHOWN:
        show.main([str(saved / name)])
        check.main([str(saved / name)])
    assert {each: each.stat().st_mtime_ns for each in saved.rglob("*")} == before


@pytest.mark.parametrize("command", [show, check])
def test_names_that_the_terminal_cannot_show_are_escaped(command, tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="über")])
    model.save(tmp_path / "một.keras")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    assert command.main([str(tmp_path / "một.keras")]) == 0
    sys.stdout.flush()
    assert rb"m\u1ed9t.keras" in written.getvalue()
