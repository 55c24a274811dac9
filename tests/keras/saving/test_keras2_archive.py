"""`.keras` archives of Keras 2, which Keras 3 does not read."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.activations.functions import keras2_hard_sigmoid
from tests.keras.saving.test_legacy_h5 import FILES, check, given, loaded
from tests.keras.saving.test_legacy_optimizers import ARCHIVE
from tests.tolerances import assert_close


@pytest.mark.parametrize("name", ["nested", "recurrent", "translator", "words"])
def test_models(name: str) -> None:
    check(loaded(FILES / f"{name}.keras"), name, "out")


@pytest.mark.parametrize("name", ["cnn", "functions", "tensorflow_2_12"])
def test_training_goes_on(name: str) -> None:
    model = loaded(FILES / f"{name}.keras")
    check(model, name, "out")
    model.train_on_batch(given(name, "x"), given(name, "y"))
    check(model, name, "after")


@pytest.fixture(scope="module")
def optimizers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("optimizers")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


with zipfile.ZipFile(ARCHIVE) as archive:
    OPTIMIZERS = sorted(n.removesuffix(".keras") for n in archive.namelist() if n.endswith(".keras"))  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_every_optimizer(name: str, optimizers: Path) -> None:
    model = loaded(optimizers / f"{name}.keras")
    model.run_eagerly = True  # one step is not worth compiling
    arrays = np.load(optimizers / "arrays.npz")
    assert_close(model(arrays["x"]), arrays[f"{name}_out"])
    model.train_on_batch(arrays["x"], arrays["y"])
    assert_close(model(arrays["x"]), arrays[f"{name}_after"])


def test_the_state_of_another_optimizer(optimizers: Path) -> None:
    """Slots that the optimizer does not have are no fault of the file; that it begins anew is told."""
    path = optimizers / "adam.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(optimizers / "other.keras", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                data = data.replace(b'"amsgrad": true', b'"amsgrad": false')
            new.writestr(name, data)
    with pytest.warns(UserWarning, match="training starts anew"):
        model = loaded(optimizers / "other.keras")
    assert int(model.optimizer.iterations) == 0


def test_weights_alone() -> None:
    model = loaded(FILES / "cnn.keras")
    expected = model.get_weights()
    model.set_weights([np.zeros_like(each) for each in expected])
    model.load_weights(FILES / "cnn.keras")
    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    check(model, "cnn", "out")


def test_names_mean_what_they_did() -> None:
    model = loaded(FILES / "functions.keras")
    activations = [each.activation for each in model.layers if hasattr(each, "activation")]
    assert keras2_hard_sigmoid in activations


@keras.saving.register_keras_serializable("archives")
class Doubled(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x


def with_another_layer(tmp_path: Path, entry: dict[str, Any]) -> Path:
    """Return an archive whose last layer is another one."""
    path = tmp_path / "other.keras"
    with zipfile.ZipFile(FILES / "cnn.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                config["config"]["layers"].append(entry)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return path


def test_a_class_of_the_users(tmp_path: Path) -> None:
    entry = {
        "module": "__main__",
        "class_name": "Doubled",
        "config": {"name": "doubled", "trainable": True, "dtype": "float32"},
        "registered_name": "archives>Doubled",
    }
    model = loaded(with_another_layer(tmp_path, entry))
    assert isinstance(model.layers[-1], Doubled)
    entry["registered_name"] = entry["class_name"] = "Tripled"
    with pytest.raises(ValueError, match=r"other\.keras needs what is not known here:\n.*Tripled"):
        loaded(with_another_layer(tmp_path, entry))


def test_an_unzipped_folder(tmp_path: Path) -> None:
    shutil.unpack_archive(FILES / "cnn.keras", tmp_path / "cnn", "zip")
    check(loaded(tmp_path / "cnn"), "cnn", "out")


def test_it_is_saved_as_a_file_of_today(tmp_path: Path) -> None:
    loaded(FILES / "functions.keras").save(tmp_path / "new.keras")
    check(loaded(tmp_path / "new.keras"), "functions", "out")
