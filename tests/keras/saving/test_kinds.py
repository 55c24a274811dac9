"""What is no saved model is told for what it is, with what to do; and paths of every type."""

import io
import json
import os
import pickle
import tempfile
import zipfile

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.cli import show

_FILES = {
    "page.h5": (b"<!DOCTYPE html><html>", "page of the web"),
    "lfs.h5": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "git lfs pull"),
    "model.pkl": (pickle.dumps({"a": 1}), "a pickle"),
    "model.onnx": (b"\x08\x08\x12\x07pytorch", "ONNX"),
    "model.tflite": (b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
    "x.npy": (b"\x93NUMPY\x01\x00", "array of NumPy"),
    "m.h5.gz": (b"\x1f\x8b\x08\x00", "unpack it"),
    "saved_model.pb": (b"\x08\x01\x12\x05", "give the folder"),
    "ck.data-00000-of-00001": (b"\x00" * 40, "part of a checkpoint"),
    "m.json": (json.dumps({"class_name": "Sequential", "config": {}}).encode(), "model_from_json"),
    "text.keras": (b"hello", "no known format. It begins with b'hello'"),
}


@pytest.fixture(scope="module")
def model():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.mark.parametrize("name", _FILES)
def test_files_of_others(name, model, tmp_path, capsys):
    content, text = _FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"holds no whole model that can be loaded: .*{text}"):
        keras.models.load_model(path)
    with pytest.raises(ValueError, match=f"holds no weights that can be loaded: .*{text}"):
        model.load_weights(path)
    assert show.main([str(path)]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("archive/data.pkl", "file of PyTorch"),
        ("arr_0.npy", "arrays of NumPy"),
        ("in/m.keras", "unpack it"),
    ],
)
def test_archives_of_others(member, text, model, tmp_path):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(member, b"x")
    with pytest.raises(ValueError, match=f"holds no config.json.*{text}"):
        keras.models.load_model(path)
    with pytest.raises(ValueError, match=f"holds no model.weights.h5.*{text}"):
        model.load_weights(path)


def test_where_a_missing_file_was_looked_for(model, tmp_path):
    model.save(tmp_path / "model.keras")
    with pytest.raises(
        FileNotFoundError, match=r"Did you mean 'model.keras'\? It was looked for in"
    ):
        keras.models.load_model(tmp_path / "modle.keras")
    with pytest.raises(FileNotFoundError, match=r"The folder .*none does not exist"):
        model.load_weights(tmp_path / "none" / "x.weights.h5")
    with pytest.raises(FileNotFoundError, match="The path is empty"):
        keras.models.load_model("")


def test_a_folder_and_a_checkpoint_are_told_with_what_to_give(model, tmp_path):
    model.save_weights(tmp_path / "ck")
    with pytest.raises(ValueError, match=r"ck holds no whole model .*load_weights"):
        keras.models.load_model(tmp_path / "ck")
    with pytest.raises(ValueError, match=r"give one of the files in it, for instance '.*ck'"):
        keras.models.load_model(tmp_path)


def test_paths_are_text_bytes_or_path_like(model, tmp_path):
    for path in (
        tmp_path / "a.keras",
        str(tmp_path / "mô hình.h5"),
        os.fsencode(tmp_path / "b.h5"),
    ):
        model.save(path)
        assert keras.models.load_model(path).count_params() == 3
        model.load_weights(path)
    for wrong in (None, 5, io.StringIO()):
        for call in (model.save_weights, model.load_weights):
            with pytest.raises(TypeError, match="Expected the path of a file"):
                call(wrong)
    with pytest.raises(TypeError, match=r"Expected the path of a file.* received None"):
        model.save(None)
    with pytest.raises(TypeError, match=r"Expected the path of a file.* received None"):
        keras.models.load_model(None)


def test_custom_objects_are_a_dict(model, tmp_path):
    model.save(tmp_path / "m.keras")
    with pytest.raises(TypeError, match=r"`custom_objects` should be a dict .* received \["):
        keras.models.load_model(tmp_path / "m.keras", custom_objects=[keras.layers.Dense])
    with pytest.raises(TypeError, match="`custom_objects` should be a dict"):
        keras.saving.custom_object_scope([keras.layers.Dense])


def test_an_h5_file_of_a_model_makes_its_folder(model, tmp_path):
    """As in Keras, in this format alone."""
    model.save(tmp_path / "a" / "b" / "m.h5")
    assert keras.models.load_model(tmp_path / "a" / "b" / "m.h5").count_params() == 3
    with pytest.raises(FileNotFoundError, match="make the folder"):
        model.save(tmp_path / "c" / "m.keras")


def test_an_optimizer_that_has_not_trained_begins_anew_silently(recwarn, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        again = keras.models.load_model(tmp_path / name)
        assert int(again.optimizer.iterations) == 0
    assert not recwarn.list
    again.fit(np.ones((2, 2)), np.ones(2), verbose=0)
    assert int(again.optimizer.iterations) == 1


def test_a_pipe_is_not_waited_for(model, tmp_path):
    pipe = tmp_path / "m.keras"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="a device or a pipe"):
        keras.models.load_model(pipe)
    with pytest.raises(ValueError, match="a device or a pipe"):
        model.load_weights(pipe)
    model.save_weights(tmp_path / "m.weights.json")
    (tmp_path / "m_00000.weights.h5").unlink()
    os.mkfifo(tmp_path / "m_00000.weights.h5")
    with pytest.raises(ValueError, match=r"m_00000\.weights\.h5, which is no file"):
        model.load_weights(tmp_path / "m.weights.json")


@pytest.mark.parametrize("make", [tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile])
def test_temporary_files(make, model):
    with make() as file:
        model.save(file)
        file.seek(0)
        again = keras.models.load_model(file)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])
