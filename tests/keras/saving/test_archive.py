"""Whole models in `.keras` archives and folders."""

import errno
import gc
import hashlib
import io
import json
import os
import re
import zipfile
from collections import Counter

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.pieces import sha256_of_pieces
from hornbeam.keras import layers
from hornbeam.keras.saving import archive

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def make(units=3):
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(units, activation="relu", name="a"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(2, name="b"),
        ]
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model after two steps, and its file."""
    model = make()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, :2], batch_size=4, verbose=0)
    path = tmp_path_factory.mktemp("saved") / "m.keras"
    model.save(path)
    return model, path


def assert_same(a, b):
    for v, w in zip(a, b, strict=True):
        np.testing.assert_array_equal(v, w)


@pytest.mark.parametrize("form", ["archive", "folder", "stream"])
def test_a_model_goes_on_where_it_was(form, trained, tmp_path):
    model, path = trained
    source = path
    if form == "folder":
        source = tmp_path / "folder"
        model.save(source, zipped=False)
    elif form == "stream":
        source = io.BytesIO()
        keras.saving.save_model(model, source)
    loaded = keras.models.load_model(source)
    assert type(loaded) is keras.Sequential and loaded.name == model.name
    # Weights, the state of the dropout's generator, the optimizer's state.
    assert_same(loaded.weights, model.weights)
    assert_same([loaded.layers[1].seed_generator.state], [model.layers[1].seed_generator.state])
    assert_same(loaded.optimizer.variables, model.optimizer.variables)
    assert loaded.optimizer.iterations == 2
    assert loaded.get_compile_config() == model.get_compile_config()


def test_it_trains_on_as_if_nothing_had_happened(trained, tmp_path):
    _, path = trained
    first, second = keras.models.load_model(path), keras.models.load_model(path)
    for each in (first, second):
        each.fit(X, X[:, :2], batch_size=4, shuffle=False, verbose=0)
    assert_same(first.variables, second.variables)


def test_arrays_begin_where_they_can_be_mapped(tmp_path):
    model = make(units=64)
    model.save(tmp_path / "m.keras")
    with h5py.File(tmp_path / "m.keras") as file:
        assert file["layers/dense/vars/0"].id.get_offset() % 64 == 0


def test_the_file_is_a_zip_and_an_hdf5_file(trained):
    model, path = trained
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.namelist() == ["model.weights.h5", "config.json", "metadata.json"]
        assert {each.compress_type for each in file.infolist()} == {zipfile.ZIP_STORED}
        metadata = json.loads(file.read("metadata.json"))
        assert metadata["keras_version"] == "3.15.1"
        assert (
            metadata["sha256"]["config.json"]
            == hashlib.sha256(file.read("config.json")).hexdigest()
        )
        weights = io.BytesIO(file.read("model.weights.h5"))
        assert metadata["sha256_of_pieces"]["model.weights.h5"] == sha256_of_pieces(weights)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["layers/dense/vars/0"], model.layers[0].kernel)
        assert file["optimizer/vars/2"].shape == (4, 3)


def test_it_can_be_left_uncompiled(trained):
    model, path = trained
    loaded = keras.models.load_model(path, compile=False)
    assert not loaded.compiled and loaded.optimizer is None
    assert_same(loaded.get_weights(), model.get_weights())


def test_weights_alone_are_read_out_of_it(trained):
    model, path = trained
    other = make()
    other.load_weights(path)
    assert_same(other.get_weights(), model.get_weights())
    wrong = make(units=5)
    before = wrong.get_weights()
    with pytest.raises(ValueError, match=r"a/kernel \(4, 5\): layers/dense/vars/0 has shape"):
        wrong.load_weights(path)
    assert_same(wrong.get_weights(), before)


def functional():
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    shared = layers.Dense(3, name="shared")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    joined = keras.ops.concatenate([inner(shared(x)), shared(y) * 2.0], axis=-1)
    return keras.Model({"x": x, "y": y}, [joined, keras.ops.mean(joined, axis=1)])


@pytest.mark.parametrize("make_model", [functional])
def test_graphs_come_back(make_model, tmp_path):
    model = make_model()
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert_same(loaded.get_weights(), model.get_weights())
    inputs = {"x": X, "y": X + 1}
    assert_same(loaded(inputs), model(inputs))


def test_no_initial_value_is_drawn(trained, monkeypatch):
    def refuse(initializer, shape, dtype, name):
        assert shape == (), "a value was drawn that the file has"  # metrics are not in the file
        return jnp.zeros((), dtype)

    monkeypatch.setattr("hornbeam.core.variable._drawn", refuse)
    keras.models.load_model(trained[1])


# What can't be written or read


def rewritten(path, target, **changes):
    """Copy an archive with other members; None leaves one out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = changes.get(name.partition(".")[0], old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def config_with(path, edit):
    with zipfile.ZipFile(path) as file:
        config = json.loads(file.read("config.json"))
    edit(config)
    return json.dumps(config)


def huge(config):
    config["config"]["layers"][1]["config"]["units"] = 1 << 36


def test_a_config_of_any_size_is_compared_first(trained, tmp_path):
    _, path = trained
    bad = rewritten(path, tmp_path / "m.keras", config=config_with(path, huge))
    with pytest.raises(ValueError, match=r"a/kernel \(4, 68719476736\): .* has shape \(4, 3\)"):
        keras.models.load_model(bad)


BROKEN = {
    "no config": ({"config": None}, "holds no config.json"),
    "no weights": ({"model": None}, "holds no model.weights.h5"),
    "a list": ({"config": b"[]"}, "does not describe a model"),
    "no JSON": ({"config": b"{"}, "config.json is no valid JSON"),
    "other weights": ({"model": b"PK"}, "model.weights.h5 is no HDF5 file"),
    "no model": (
        {"config": b'{"module": "keras.losses", "class_name": "MeanSquaredError", "config": {}}'},
        "describes a MeanSquaredError, not a model",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_archives(name, trained, tmp_path):
    changes, text = BROKEN[name]
    bad = rewritten(trained[1], tmp_path / "m.keras", **changes)
    with pytest.raises(ValueError, match=text):
        keras.models.load_model(bad)


@pytest.mark.parametrize("size", [0, 3, 40, 700, 5000, -1])
def test_a_cut_file_is_called_cut(size, trained, tmp_path):
    data = trained[1].read_bytes()[:size]
    path = tmp_path / "cut.keras"
    path.write_bytes(data)
    text = {0: "it is empty", 3: "no known format"}.get(size, "is truncated")
    with pytest.raises(ValueError, match=text):
        keras.models.load_model(path)


def test_errors_of_paths(trained, tmp_path):
    model, path = trained
    load, save = keras.models.load_model, model.save
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load(tmp_path / "no.keras")
    with pytest.raises(ValueError, match=r"it is a folder without config\.json"):
        load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"no keras_metadata\.pb: it has a program of TensorFlow"):
        load(tmp_path)
    model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match="it holds weights alone"):
        load(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError, match=r"ends with `\.keras`"):
        save(tmp_path / "m.model")
    with pytest.raises(ValueError, match=r"name of a folder, without `\.keras`"):
        save(tmp_path / "m.keras", zipped=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save(path, overwrite=False)
    with pytest.raises(ValueError, match="unknown arguments: 'nope'"):
        save(path, nope=1)
    with pytest.raises(ValueError, match="takes a model"):
        keras.saving.save_model(layers.Dense(1), path)
    (tmp_path / "d.keras").mkdir()
    with pytest.raises(IsADirectoryError):
        save(tmp_path / "d.keras")


def test_an_error_in_writing_leaves_the_old_file(trained, tmp_path):
    _, path = trained
    target = tmp_path / "m.keras"
    target.write_bytes(path.read_bytes())

    class Names(layers.Layer):
        def call(self, x):
            return x

        def save_own_variables(self, store):
            store["names"] = np.array(["a"])

    with pytest.raises(TypeError, match="holds numbers"):
        keras.Sequential([keras.Input((4,)), Names()]).save(target)
    assert target.read_bytes() == path.read_bytes() and os.listdir(tmp_path) == ["m.keras"]


def test_no_permission_is_told(trained, tmp_path, monkeypatch):
    model, path = trained
    data = path.read_bytes()

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("hornbeam.core.atomic.os.open", refuse)
    with pytest.raises(PermissionError, match="is not allowed"):
        model.save(path)
    monkeypatch.undo()
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        keras.models.load_model(path)
    monkeypatch.undo()
    assert path.read_bytes() == data


def many(config):
    layer = {
        "module": "keras.layers",
        "class_name": "Flatten",
        "config": {},
        "registered_name": None,
    }
    config["config"]["layers"] = [layer] * 50_001


def nested(config):
    for _ in range(80):
        inner = dict(config)
        config["config"] = {"name": "s", "layers": [inner]}


@pytest.mark.parametrize(
    ("edit", "text"), [(many, "more than 50000 objects"), (nested, "nested more than 200 deep")]
)
def test_models_of_absurd_size(edit, text, trained, tmp_path):
    bad = rewritten(trained[1], tmp_path / "m.keras", config=config_with(trained[1], edit))
    with pytest.raises(ValueError, match=text):
        keras.models.load_model(bad)


@pytest.mark.slow
def test_a_thousand_rounds_do_not_grow(tmp_path):
    """Saved and loaded again and again: memory, open files and temporary files stay as they were."""
    model = make(units=64)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    path = tmp_path / "m.keras"

    def rounds(count):
        loaded = model
        for _ in range(count):
            loaded.save(path)
            loaded = keras.models.load_model(path)
        assert_same(loaded.weights, model.weights)
        gc.collect()
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))

    memory, files = rounds(100)
    more, same_files = rounds(900)
    assert same_files == files and os.listdir(tmp_path) == ["m.keras"]
    assert more - memory < 32 << 20


def test_h5py_that_is_missing_is_told(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match="pip install h5py"):
        trained[0].save(tmp_path / "m.keras")
    with pytest.raises(ImportError, match="pip install h5py"):
        keras.models.load_model(trained[1])
    assert not os.listdir(tmp_path)


def test_a_model_without_weights_is_saved_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="is saved before it has weights"):
        keras.Sequential([layers.Dense(1)]).save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert not loaded.built and loaded(X).shape == (8, 1)


def test_a_compressed_archive_is_read_too(trained, tmp_path):
    model, path = trained
    target = tmp_path / "m.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert_same(keras.models.load_model(target).get_weights(), model.get_weights())


def test_an_optimizer_that_does_not_fit_is_told(trained, tmp_path):
    _, path = trained

    def other(config):
        config["compile_config"]["optimizer"]["config"]["amsgrad"] = True

    bad = rewritten(path, tmp_path / "m.keras", config=config_with(path, other))
    with pytest.warns(UserWarning, match="training starts anew"):
        assert keras.models.load_model(bad).optimizer.iterations == 0


def test_members_of_a_folder(trained, tmp_path):
    model, _ = trained
    path = tmp_path / "new" / "f"  # the folder around it is made, too
    model.save(path, zipped=False)
    with archive.opened(str(path)) as container:
        assert sorted(container.names()) == ["config.json", "metadata.json", "model.weights.h5"]
        hashes = json.loads(container.read("metadata.json", 9999))["sha256"]
        data = (path / "config.json").read_bytes()
        assert hashes["config.json"] == hashlib.sha256(data).hexdigest()
        with pytest.raises(ValueError, match="has more than 9 bytes"):
            container.read("config.json", 9)


def _shared_inside():
    shared, inputs = layers.Dense(3, name="shared"), keras.Input((3,))
    inner = keras.Sequential([shared, layers.Dense(3, name="other")])
    return keras.Model(inputs, inner(shared(inner(inputs)))), "other other shared shared"


def _shared_in_two_inside():
    shared, inputs = layers.Dense(3, name="shared"), [keras.Input((3,)) for _ in range(3)]
    one = keras.Model(inputs[0], shared(inputs[0]))
    two = keras.Model(inputs[1], shared(one(inputs[1])))
    return keras.Model(inputs[2], two(one(inputs[2]))), "shared shared"


@pytest.mark.parametrize("make_model", [_shared_inside, _shared_in_two_inside])
def test_a_layer_that_models_inside_share_is_one_layer_again(make_model, tmp_path):
    model, names = make_model()
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert sorted(w.path.split("/")[-2] for w in again.weights) == names.split()
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(again(x), model(x))
    # An object that occurs once has no number, as in Keras.
    again.save(tmp_path / "n.keras")
    texts = [zipfile.ZipFile(tmp_path / f"{each}.keras").read("config.json") for each in "mn"]
    assert texts[0] == texts[1]
    numbers = re.findall(rb'"shared_object_id": (\d+)', texts[0])
    assert min(Counter(numbers).values()) == 2
