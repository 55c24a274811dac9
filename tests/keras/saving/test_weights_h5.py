"""Files of weights: whole or not at all, and nothing in them is followed or run."""

import os

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

h5py = pytest.importorskip("h5py")


def make(units=3):
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, name="a"), layers.Dense(2, name="b")]
    )


@pytest.fixture
def saved(tmp_path):
    model, path = make(), tmp_path / "m.weights.h5"
    model.save_weights(path)
    return model, path


def unchanged(model, act, error, text):
    before = model.get_weights()
    with pytest.raises(error, match=text):
        act()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_round_trip(saved):
    model, path = saved
    other = make()
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_keeps_the_best(tmp_path):
    model = make()
    model.compile("sgd", "mse")
    path = str(tmp_path / "best.weights.h5")
    keep = keras.callbacks.ModelCheckpoint(
        path, monitor="loss", save_best_only=True, save_weights_only=True
    )
    x = np.random.default_rng(0).normal(size=(32, 4))
    model.fit(x, x[:, :2], epochs=3, verbose=0, callbacks=[keep])
    make().load_weights(path)


def test_another_shape_is_told_by_path(saved):
    _, path = saved
    other = make(units=5)
    unchanged(
        other,
        lambda: other.load_weights(path),
        ValueError,
        r"a/kernel \(4, 5\): layers/dense/vars/0 has shape \(4, 3\)",
    )


def test_missing_weights_are_told(saved):
    _, path = saved
    deeper = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.Dense(2), layers.Dense(2)]
    )
    unchanged(
        deeper,
        lambda: deeper.load_weights(path),
        ValueError,
        "layers/dense_2/vars/0 is not in the file",
    )


def test_a_truncated_file(saved):
    model, path = saved
    path.write_bytes(path.read_bytes()[:700])
    unchanged(model, lambda: model.load_weights(path), ValueError, "damaged")


def test_links_are_not_followed(saved, tmp_path):
    model, path = saved
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["x"] = np.ones((4, 3), "float32")
    for link in (
        h5py.ExternalLink(str(tmp_path / "secret.h5"), "x"),
        h5py.SoftLink("/layers/dense_1/vars/0"),
    ):
        with h5py.File(path, "a") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = link
        unchanged(model, lambda: model.load_weights(path), ValueError, "links are not followed")


def test_data_in_other_files_is_not_read(saved, tmp_path):
    model, path = saved
    (tmp_path / "raw").write_bytes(np.ones((4, 3), "float32").tobytes())
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset(
            "0", (4, 3), "float32", external=[(str(tmp_path / "raw"), 0, 48)]
        )
    unchanged(model, lambda: model.load_weights(path), ValueError, "another file")


def test_a_failing_write_leaves_the_old_file(saved, monkeypatch):
    model, path = saved
    old = path.read_bytes()

    def fail(*args):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        model.save_weights(path)
    assert path.read_bytes() == old and os.listdir(path.parent) == [path.name]


def test_bad_calls(saved, tmp_path):
    model, path = saved
    unchanged(
        model, lambda: model.save_weights(tmp_path / "x.h5"), ValueError, r"ends with `.weights.h5`"
    )
    unchanged(
        model, lambda: model.load_weights(tmp_path / "no.weights.h5"), FileNotFoundError, "no file"
    )
    unchanged(
        model, lambda: model.save_weights(path, overwrite=False), FileExistsError, "exists already"
    )
    unchanged(model, lambda: model.save(tmp_path / "m.keras"), NotImplementedError, "save_weights")
    with pytest.raises(ValueError, match="no weights yet"):
        keras.Sequential([layers.Dense(1)]).save_weights(path)
