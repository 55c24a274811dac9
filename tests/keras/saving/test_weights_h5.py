"""Files of weights: whole or not at all, and nothing in them is followed or run."""

import os

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers


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
    unchanged(model, lambda: model.load_weights(path), ValueError, "is truncated")


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
        model,
        lambda: model.save_weights(tmp_path / "x.keras"),
        ValueError,
        r"ends with `.weights.h5`",
    )
    unchanged(
        model, lambda: model.load_weights(tmp_path / "no.weights.h5"), FileNotFoundError, "no file"
    )
    unchanged(
        model, lambda: model.save_weights(path, overwrite=False), FileExistsError, "exists already"
    )
    with pytest.raises(ValueError, match="no weights yet"):
        keras.Sequential([layers.Dense(1)]).save_weights(path)


def test_another_head_is_left_as_it_is(saved):
    model, path = saved
    other = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(7, name="head")])
    head = other.layers[1].get_weights()
    with pytest.warns(UserWarning) as caught:
        other.load_weights(path, skip_mismatch=True)
    (warning,) = caught
    assert "head/kernel (3, 7): layers/dense_1/vars/0 has shape (3, 2)" in str(warning.message)
    assert "head/bias (7,)" in str(warning.message)
    for a, b in zip(other.layers[0].get_weights(), model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(other.layers[1].get_weights(), head, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_is_loaded_whole_or_not_at_all(saved):
    _, path = saved
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = np.ones(9)
    other = make()
    before = other.layers[0].get_weights()
    with pytest.warns(UserWarning, match=r"a/bias \(3,\): layers/dense/vars/1 has shape \(9,\)"):
        other.load_weights(path, skip_mismatch=True)
    for a, b in zip(other.layers[0].get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_more_weights_than_the_layer_has_are_told(saved):
    _, path = saved
    with h5py.File(path, "a") as file:
        file["layers/dense/vars/2"] = np.ones(3)
    other = make()
    text = "a: the file has layers/dense/vars/2 as well, the layer has 2 weights"
    unchanged(other, lambda: other.load_weights(path), ValueError, text)


def test_layers_to_skip(saved):
    model, path = saved
    other = make()
    before = other.layers[0].get_weights()
    other.load_weights(path, objects_to_skip=[other.layers[0]])
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], before[0])
    np.testing.assert_array_equal(
        other.layers[1].get_weights()[0], model.layers[1].get_weights()[0]
    )


class Owner(layers.Layer):
    """Reads in two steps, of which the second may fail; keeps a list of what it has read."""

    needs = "scale"

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), initializer="ones")
        self.read = None

    def call(self, x):
        return x * self.scale

    def save_own_variables(self, store):
        store["scale"] = self.scale

    def load_own_variables(self, store):
        self.scale.assign(store["scale"])
        self.read = [*store]
        store[self.needs]


def test_a_layers_own_methods_are_called(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = (keras.Sequential([keras.Input((4,)), Owner(name="own")]) for _ in range(2))
    model.layers[0].scale.assign([1, 2, 3, 4])
    model.save_weights(path)
    other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], [1, 2, 3, 4])
    assert other.layers[0].read == ["scale"]


@pytest.mark.parametrize("fails", ["its own method", "another layer"])
def test_what_an_own_method_changed_is_taken_back(fails, tmp_path):
    path = tmp_path / "m.weights.h5"
    model = keras.Sequential([keras.Input((4,)), Owner(), layers.Dense(3)])
    model.layers[0].scale.assign([1, 2, 3, 4])
    model.save_weights(path)
    other = keras.Sequential([keras.Input((4,)), Owner(name="own"), layers.Dense(2, name="b")])
    other.layers[0].needs = {"its own method": "offset", "another layer": "scale"}[fails]
    text = {
        "its own method": "own: layers/owner/vars: layers/owner/vars/offset is not in the file",
        "another layer": r"b/kernel \(4, 2\)",
    }[fails]
    unchanged(other, lambda: other.load_weights(path), ValueError, text)
    assert other.layers[0].read is None


def test_a_method_that_fails_half_way_changes_nothing_where_others_are_loaded(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = (
        keras.Sequential([keras.Input((4,)), Owner(name="own"), layers.Dense(3)]) for _ in range(2)
    )
    model.layers[0].scale.assign([1, 2, 3, 4])
    model.save_weights(path)
    other.layers[0].needs = "offset"
    with pytest.warns(UserWarning, match="owner/vars/offset is not in the file"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], [1, 1, 1, 1])
    assert other.layers[0].read is None
    np.testing.assert_array_equal(other.get_weights()[1], model.get_weights()[1])


def test_only_numbers_are_written(tmp_path):
    class Names(layers.Layer):
        def call(self, x):
            return x

        def save_own_variables(self, store):
            store["names"] = np.array(["a", "b"])

    model = keras.Sequential([keras.Input((4,)), Names(name="n")])
    with pytest.raises(TypeError, match=r"holds numbers; 'n' wrote 'names'"):
        model.save_weights(tmp_path / "m.weights.h5")
    assert not os.listdir(tmp_path)


def test_an_optimizer_that_differs_starts_anew(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other, plain = make(), make(), make()
    for each, optimizer in ((model, "adam"), (other, "sgd")):
        each.compile(optimizer, "mse")
        each.optimizer.build(each.trainable_variables)
    model.optimizer.iterations.assign(7)
    model.save_weights(path)
    other.load_weights(path)
    plain.load_weights(path)
    assert other.optimizer.iterations == 0
    again = make()
    again.compile("adam", "mse")
    again.load_weights(path)  # builds the optimizer first
    assert again.optimizer.iterations == 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([b"a", b"b"]), "layers/dense/vars/0 holds values of type"),
        (None, "layers/dense/vars/0 holds no numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_told(saved, value, text):
    model, path = saved
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        if value is None:
            file.create_group("layers/dense/vars/0")
        else:
            file["layers/dense/vars/0"] = value
    unchanged(model, lambda: model.load_weights(path), ValueError, text)


def test_bfloat16_is_written_as_keras_writes_it(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = (
        keras.Sequential([keras.Input((4,)), layers.Dense(3, dtype="bfloat16")]) for _ in range(2)
    )
    model.save_weights(path)
    with h5py.File(path) as file:
        stored = file["layers/dense/vars/0"]
        assert stored.dtype == "V2" and stored.attrs["dtype"] == "bfloat16"
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        assert a.dtype == "bfloat16"
        np.testing.assert_array_equal(a, b)


def test_an_optimizer_of_other_weights_starts_anew(tmp_path):
    """As many variables, of other shapes."""
    path = tmp_path / "m.weights.h5"
    model, other = make(), make()
    for each, frozen in ((model, 0), (other, 1)):
        each.layers[frozen].trainable = False
        each.compile("adam", "mse")
        each.optimizer.build(each.trainable_variables)
    model.optimizer.iterations.assign(7)
    model.save_weights(path)
    other.load_weights(path)
    assert other.optimizer.iterations == 0
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("name", ["m.weights.h5", "checkpoint"])
def test_complex_numbers(name, tmp_path):
    first, second = (keras.layers.Flatten() for _ in range(2))
    for layer, value in (first, [1 + 2j, -3j]), (second, [0, 0]):
        layer.number = keras.Variable(np.array(value, "complex64"))
    models = [keras.Sequential([keras.Input((2,)), layer]) for layer in (first, second)]
    models[0].save_weights(tmp_path / name)
    models[1].load_weights(tmp_path / name)
    assert second.number.numpy().tolist() == [1 + 2j, -3j]


def test_types_that_hdf5_lacks_are_told(tmp_path):
    layer = keras.layers.Flatten()
    layer.number = keras.Variable(np.zeros(2, "float8_e5m2"))
    with pytest.raises(TypeError, match="of type float8_e5m2"):
        keras.Sequential([keras.Input((2,)), layer]).save_weights(tmp_path / "m.weights.h5")
