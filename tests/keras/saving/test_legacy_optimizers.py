"""The state of every optimizer of Keras 2, from `.h5` files and folders: training goes on as it would have there."""

from __future__ import annotations

import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.optimizers.nadam import product_after
from tests.tolerances import assert_close

ARCHIVE = Path(__file__).parents[2] / "files" / "keras2" / "optimizers.zip"
with zipfile.ZipFile(ARCHIVE) as archive:
    NAMES = sorted(each.removesuffix(".h5") for each in archive.namelist() if each.endswith(".h5"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models."""
    folder = tmp_path_factory.mktemp("optimizers")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


def loaded(path: Path) -> Any:
    """Return the model of a file or folder; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = keras.models.load_model(path)
    model.run_eagerly = True  # one step is not worth compiling
    return model


def weights_of(optimizer: Any) -> list[Any]:
    """Return the state of an optimizer, or of the one whose loss is scaled."""
    return getattr(optimizer, "inner_optimizer", optimizer).variables


@pytest.mark.parametrize("name", [each for each in NAMES if each != "old_nadam"])
def test_training_goes_on(name: str, files: Path) -> None:
    model, folder = loaded(files / f"{name}.h5"), loaded(files / name)
    for ours, other in zip(weights_of(model.optimizer), weights_of(folder.optimizer), strict=True):
        assert_close(ours, other)
    arrays = np.load(files / "arrays.npz")
    assert_close(model(arrays["x"]), arrays[f"{name}_out"])
    model.train_on_batch(arrays["x"], arrays["y"])
    assert_close(model(arrays["x"]), arrays[f"{name}_after"])


@pytest.mark.parametrize("ending", ["", ".h5"])
def test_the_momentum_of_nadam_that_rose_slowly(ending: str, files: Path) -> None:
    """What was learnt is loaded; that training goes on in another way is told."""
    with pytest.warns(UserWarning, match=r"at the speed schedule_decay=0\.004") as told:
        model = keras.models.load_model(files / f"old_nadam{ending}")
    assert len(told) == 1
    with h5py.File(files / "old_nadam.h5") as file:
        state = file["optimizer_weights/Nadam"]
        product, steps = (float(state[each][()]) for each in ("momentum_cache:0", "iter:0"))
    assert_close(model.optimizer._shared["u_product"], product)
    assert float(model.optimizer.iterations) == steps
    assert_close(model.optimizer.learning_rate, 0.02)


@pytest.mark.parametrize("name", ["scaled", "old_scaled"])
def test_the_factor_of_the_loss_is_in_the_folder_alone(name: str, files: Path) -> None:
    optimizer = loaded(files / name).optimizer
    assert_close(optimizer.dynamic_scale, 2.0**15)
    assert int(optimizer.step_counter) == 3


def test_the_product_of_the_momenta_of_nadam() -> None:
    factors = 0.9999 * (1 - 0.5 * 0.96 ** np.arange(1, 3001))
    for steps in (0, 1, 7, 3000):
        assert_close(product_after(0.9999, steps), np.prod(factors[:steps]))
    assert product_after(0.9, 1 << 60) == 0


def without_steps(state: Any) -> None:
    del state["iteration:0"]
    state.attrs["weight_names"] = state.attrs["weight_names"][1:]


def with_other_slots(state: Any) -> None:
    names = [f"Adamax/other/{each}:0" for each in ("dense/kernel", "dense/bias")]
    for each in names:
        state[each] = np.zeros(3, "float32")
    state.attrs["weight_names"] = [*state.attrs["weight_names"], *names]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_steps, "the file does not have the number of steps"),
        (with_other_slots, "nothing takes the 2 arrays for 'other'"),
    ],
)
def test_state_that_does_not_fit_is_told(
    change: Any, told: str, files: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.h5"
    shutil.copy(files / "adamax.h5", path)
    with h5py.File(path, "a") as file:
        change(file["optimizer_weights"])
    with pytest.warns(UserWarning, match=f"the optimizer starts anew, because {told}"):
        model = keras.models.load_model(path)
    assert not any(np.any(each.numpy()) for each in model.optimizer._slots["norm"])
