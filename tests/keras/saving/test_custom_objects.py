"""Users' classes and functions in files of models: found by name, and all that is missing told at once."""

import contextlib
import json
import os
import re
import zipfile

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


class Scale(layers.Layer):
    """Its configuration is read off the constructor."""

    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), initializer="ones", name="gain")

    def call(self, x):
        return x * self.gain * self.factor


class Twins(layers.Layer):
    """Holds one layer under two names."""

    def __init__(self, a, b, **kwargs):
        super().__init__(**kwargs)
        self.a, self.b = a, b

    def call(self, x):
        return self.a(x) + self.b(x)


class Net(keras.Model):
    """A subclassed model with a list of layers and a custom one."""

    def __init__(self, units, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.depth = units, depth
        self.blocks = [layers.Dense(units) for _ in range(depth)]
        self.pairs = [[layers.Dense(units)], {"last": Scale()}]
        self.out = layers.Dense(1)

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        return self.out(self.pairs[1]["last"](self.pairs[0][0](x)))


def stretch(x):
    return x * 3.0


def off_by(y, y_pred):
    return keras.ops.mean(keras.ops.abs(y - y_pred), axis=-1)


class Worst(keras.metrics.Metric):
    """The largest error so far."""

    def __init__(self, name="worst", **kwargs):
        super().__init__(name=name, **kwargs)
        self.worst = self.add_variable((), "zeros", name="w")

    def update_state(self, y, y_pred, sample_weight=None):
        self.worst.assign(keras.ops.maximum(self.worst, keras.ops.max(keras.ops.abs(y - y_pred))))

    def result(self):
        return self.worst


class Half(keras.losses.Loss):
    """Half of the squared error."""

    def call(self, y, y_pred):
        return keras.ops.mean(keras.ops.square(y - y_pred), axis=-1) / 2


class Slow(keras.optimizers.SGD):
    """A class of its own."""


OBJECTS = [Scale, Twins, Net, stretch, off_by, Worst, Half, Slow]
ALL = {each.__name__: each for each in OBJECTS}


def custom():
    """Return a compiled model that names all of them but Net."""
    dense = layers.Dense(4)
    model = keras.Sequential(
        [keras.Input((4,)), Scale(1.5), Twins(dense, dense), layers.Lambda(stretch, name="st")]
    )
    model.compile(Slow(0.1), Half(), metrics=[Worst(), off_by])
    return model


def again(model, tmp_path, **kwargs):
    path = tmp_path / "m.keras"
    model.save(path)
    return keras.models.load_model(path, **kwargs)


def assert_same(a, b):
    for v, w in zip(a, b, strict=True):
        np.testing.assert_array_equal(v, w)


def test_custom_objects(tmp_path):
    model = custom()
    loaded = again(model, tmp_path, custom_objects=ALL)
    assert type(loaded.layers[0]) is Scale and loaded.layers[0].factor == 1.5
    assert loaded.layers[1].a is loaded.layers[1].b
    assert_same(loaded.weights, model.weights)
    assert_same(loaded(X), model(X))
    assert type(loaded.optimizer) is Slow
    assert loaded.get_compile_config() == model.get_compile_config()
    with keras.saving.custom_object_scope(ALL):
        assert_same(keras.models.load_model(tmp_path / "m.keras").weights, model.weights)


def test_registered_objects(tmp_path, monkeypatch):
    table = keras.saving.get_custom_objects()
    for each in OBJECTS:
        monkeypatch.setitem(table, f"mine>{each.__name__}", each)
    model = custom()
    assert_same(again(model, tmp_path).weights, model.weights)


def test_a_subclassed_model(tmp_path):
    model = Net(3)
    model(X)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    loaded = again(model, tmp_path, custom_objects=ALL)
    assert type(loaded) is Net and loaded.units == 3
    assert_same(loaded.weights, model.weights)
    assert_same(loaded.optimizer.variables, model.optimizer.variables)
    assert_same(loaded(X), model(X))


def test_all_that_is_unknown_is_told_at_once(tmp_path):
    custom().save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="needs what is not known here") as caught:
        keras.models.load_model(tmp_path / "m.keras", custom_objects={"Half": Half})
    told = str(caught.value)
    for line in (
        f"the class 'Scale' of {__name__}",
        "the class 'Twins'",
        "the function 'stretch'",
        "the function 'off_by'",
        "the class 'Worst'",
        "the class 'Slow'",
    ):
        assert line in told
    assert "Half" not in told
    given = "{'Scale': Scale, 'Twins': Twins, 'stretch': stretch, "
    assert f"custom_objects={given}" in told
    assert "@keras.saving.register_keras_serializable()" in told


def edited(path, old, new):
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    assert old in members["config.json"]
    members["config.json"] = members["config.json"].replace(old, new)
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_a_layer_that_hornbeam_lacks_is_told_with_near_names(tmp_path):
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((4,)), layers.Dense(1)]).save(path)
    edited(path, b'"class_name": "Dense"', b'"class_name": "Densse"')
    with pytest.raises(ValueError, match=r"keras\.layers\.Densse, .* Did you mean 'Dense'"):
        keras.models.load_model(path)


CODE = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}}


@pytest.mark.parametrize("safe_mode", [True, False, None])
def test_byte_code_is_not_run(safe_mode, tmp_path):
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((4,)), layers.Lambda(stretch, name="st")]).save(path)
    known = json.dumps(keras.saving.serialize_keras_object(stretch)).encode()
    edited(path, known, json.dumps(CODE).encode())
    text = r"the Lambda 'st', which was saved as byte code(.|\n)*custom_objects=\{'st': st\}"
    with pytest.raises(ValueError, match=text):
        keras.models.load_model(path, safe_mode=safe_mode)
    loaded = keras.models.load_model(path, custom_objects={"st": stretch})
    assert_same(loaded(X), X * 3)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_model_with_a_lambda_is_saved_without_it(name, tmp_path):
    """Nobody loses a trained model to a lambda: the rest is saved, and the function is given again."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.Lambda(lambda x: x + 1)])
    model.layers[-1].name = "plus"
    with pytest.warns(
        UserWarning, match=r"without the functions of its Lambda layers plus:.*'plus': f"
    ):
        model.save(tmp_path / name)
    with pytest.raises(ValueError, match="'plus', which has no name by which a file could keep it"):
        keras.models.load_model(tmp_path / name)
    given = {"plus": model.layers[-1].function}
    assert_same(keras.models.load_model(tmp_path / name, custom_objects=given)(X), model(X))


class Words(layers.Layer):
    """Keeps a vocabulary in a file."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = []

    def call(self, x):
        return x

    def save_assets(self, folder):
        os.makedirs(os.path.join(folder, "deep"))
        with open(os.path.join(folder, "deep", "words.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(self.words))

    def load_assets(self, folder):
        with open(os.path.join(folder, "deep", "words.txt"), encoding="utf-8") as file:
            self.words = file.read().split("\n")


@pytest.mark.parametrize("zipped", [True, False])
def test_assets(zipped, tmp_path):
    model = keras.Sequential([keras.Input((4,)), Words(), Words(), layers.Dense(1)])
    model.layers[0].words = ["một", "hai", ""]
    path = tmp_path / ("m.keras" if zipped else "m")
    for _ in range(3):
        model.save(path, zipped=zipped)
        model = keras.models.load_model(path, custom_objects={"Words": Words})
    assert model.layers[0].words == ["một", "hai", ""] and model.layers[1].words == [""]
    with contextlib.closing(zipfile.ZipFile(path)) if zipped else contextlib.nullcontext() as file:
        names = (
            file.namelist()
            if file
            else [str(each.relative_to(path)) for each in path.rglob("*.txt")]
        )
    assert "assets/layers/words/deep/words.txt" in names
    assert "assets/layers/words_1/deep/words.txt" in names


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\\b", "C:x", ".", "a//b"])
def test_names_of_assets_lead_nowhere(name, tmp_path):
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((4,)), Words()]).save(path)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(f"assets/layers/words/{name}", b"x")
    with pytest.raises(ValueError, match="unsafe name"):
        keras.models.load_model(path, custom_objects={"Words": Words})


class Colons(Words):
    """Writes a file whose name some systems read as a path."""

    def save_assets(self, folder):
        with open(os.path.join(folder, "vocabulary:en.txt"), "w", encoding="utf-8"):
            pass


@pytest.mark.parametrize("zipped", [True, False])
def test_names_of_assets_that_would_be_refused_are_not_written(zipped, tmp_path):
    model = keras.Sequential([keras.Input((4,)), Colons()])
    with pytest.raises(ValueError, match=r"'assets/layers/colons/vocabulary:en\.txt' has a colon"):
        model.save(tmp_path / ("m.keras" if zipped else "m"), zipped=zipped)
    assert not list(tmp_path.iterdir())


def test_names_of_registration_are_in_utils_too():
    for name in keras.saving.__all__:
        same = getattr(keras.utils, name, None)
        assert same is None or same is getattr(keras.saving, name)
    assert keras.utils.register_keras_serializable is keras.saving.register_keras_serializable


class OwnCompile(keras.Model):
    """Compiles in its own way, and says how."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def compile(self, optimizer, strength):
        super().compile(optimizer, "mse")
        self.strength = strength

    def get_compile_config(self):
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "strength": self.strength,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)


def test_a_compile_of_its_own(tmp_path):
    model = OwnCompile()
    model(X)
    model.compile(keras.optimizers.Adam(0.02), 7)
    model.fit(X, X[:, :1], verbose=0)
    loaded = again(model, tmp_path, custom_objects={"OwnCompile": OwnCompile})
    assert loaded.strength == 7 and loaded.optimizer.iterations == 1
    assert_same(loaded.optimizer.variables, model.optimizer.variables)


class Setting(keras.layers.Layer):
    """A layer with a setting of any type."""

    def __init__(self, setting=None, **kwargs):
        super().__init__(**kwargs)
        self.setting = setting

    def call(self, x):
        return x

    def get_config(self):
        return {**super().get_config(), "setting": self.setting}


def _nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


_UNREADABLE = {
    "one key twice": ({1: "a", "1": "b"}, "the key '1' stands twice"),
    "nested": (_nested(250), "nested more than 200 deep"),
    "digits": (10**500, "a number of 501 digits"),
    "keys": ({(1, 2): 3}, "keys must be"),
    "texts": (np.array(["a"]), "an array of type <U1"),
    "objects": (np.array([{}]), "an array of type object"),
}


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", _UNREADABLE)
def test_what_could_not_be_loaded_is_not_saved(name, ending, tmp_path):
    setting, text = _UNREADABLE[name]
    path = tmp_path / f"m{ending}"
    path.write_bytes(b"old")
    model = keras.Sequential([keras.Input((2,)), Setting()])
    model.layers[-1].setting = setting
    with pytest.raises(ValueError, match=re.escape(text)):
        model.save(path)
    assert path.read_bytes() == b"old"
