"""Folders of Keras 2 in TensorFlow's SavedModel format."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.protobuf import Reader, Writer
from tests.fuzz.folders import _metadata, _nodes
from tests.keras.saving.test_legacy_h5 import FILES, arrays, given, loaded, predicted
from tests.tolerances import assert_close


@pytest.mark.parametrize(
    "name", ["cnn", "recurrent", "functional", "nested", "words", "translator"]
)
def test_the_same_as_the_h5_file(name: str) -> None:
    """Weights, how the model was compiled and the state of the optimizer are those of the `.h5` file beside it."""
    model, other = keras.models.load_model(str(FILES / name)), loaded(FILES / f"{name}.h5")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        assert_close(a, b)
    assert model.compiled == other.compiled
    states = [each.optimizer.variables if each.compiled else [] for each in (model, other)]
    for a, b in zip(*states, strict=True):
        assert_close(a.numpy(), b.numpy())


def test_predictions_and_further_training() -> None:
    model = keras.models.load_model(str(FILES / "nested"))
    assert_close(predicted(model, "nested")[0], arrays("nested", "out")[0])
    model.train_on_batch(given("nested", "x"), given("nested", "y"))
    assert_close(predicted(model, "nested")[0], arrays("nested", "after")[0])


def test_weights_alone() -> None:
    model = loaded(FILES / "cnn.h5", compile=False)
    expected = model.get_weights()
    model.set_weights([np.zeros_like(each) for each in expected])
    model.load_weights(str(FILES / "cnn"))
    for a, b in zip(model.get_weights(), expected, strict=True):
        assert_close(a, b)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FILES / "words", tmp_path / "words"))


def metadata(*objects: tuple[str, str]) -> bytes:
    made = Writer()
    for path, text in objects:
        made.message(1, Writer().text(3, path).raw(5, text.encode()))
    return made.data


def test_configurations_within_the_program(folder: Path) -> None:
    """Where TensorFlow before 2.5 kept them, made of those in the file beside it."""
    path = folder / "keras_metadata.pb"
    nodes = Reader(path.read_bytes()).messages(1, "node")
    said = {node.text(3): node.raw(5) for node in nodes if node.text(3).count(".") < 2}
    root, *inner = said
    graph = Writer()
    children = Writer()
    for number, each in enumerate(inner):
        children.message(1, Writer().integer(1, number + 1).text(2, each.partition(".")[2]))
    for place in said:
        user = Writer().text(1, "_tf_keras_layer").raw(3, said[place])
        graph.message(1, (children if place == root else Writer()).message(4, user))
    program = Writer().message(2, Writer().message(7, graph)).data
    expected = keras.models.load_model(str(folder)).get_weights()
    path.unlink()
    (folder / "saved_model.pb").write_bytes(program)
    for a, b in zip(keras.models.load_model(folder).get_weights(), expected, strict=True):
        assert_close(a, b)


def test_a_program_without_a_model(folder: Path) -> None:
    (folder / "keras_metadata.pb").unlink()
    with pytest.raises(
        ValueError, match=r"no keras_metadata.pb: it has a program of TensorFlow, but no model"
    ):
        keras.models.load_model(str(folder))  # fmt: skip


def test_a_model_without_a_configuration(folder: Path) -> None:
    (folder / "keras_metadata.pb").write_bytes(metadata(("root", '{"name": "net", "class_name": "Net"}')))  # fmt: skip
    with pytest.raises(ValueError, match=r"no configuration of its model 'net'.*call load_weights"):
        keras.models.load_model(str(folder))


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_cut_metadata(folder: Path, cut: int) -> None:
    path = folder / "keras_metadata.pb"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=r"keras_metadata\.pb"):
        keras.models.load_model(str(folder))


def test_deep_configurations(folder: Path) -> None:
    deep: Any = '{"config": ' * 300 + "1" + "}" * 300
    (folder / "keras_metadata.pb").write_bytes(metadata(("root", deep)))
    with pytest.raises(ValueError, match="nested more than"):
        keras.models.load_model(str(folder))


def test_damaged_tensors_change_nothing(folder: Path) -> None:
    """One flipped byte is found by its checksum, after some of the layers were read: these are set back."""
    data = folder / "variables" / "variables.data-00000-of-00001"
    found = bytearray(data.read_bytes())
    found[2000] ^= 1
    data.write_bytes(found)
    model = loaded(FILES / "words.h5")
    model.set_weights([np.zeros_like(each) for each in model.get_weights()])
    with pytest.raises(ValueError, match="is damaged"):
        model.load_weights(str(folder))
    assert not any(each.any() for each in model.get_weights())


def test_a_model_of_no_class_is_told(tmp_path):
    folder = shutil.copytree(FILES / "cnn", tmp_path / "cnn")
    said = [(place, text.replace(b'"class_name"', b'"x"', 1)) for place, text in _nodes("cnn")]
    (folder / "keras_metadata.pb").write_bytes(_metadata(said))
    with pytest.raises(ValueError, match="cnn says no configuration of its model"):
        keras.saving.load_model(folder)
