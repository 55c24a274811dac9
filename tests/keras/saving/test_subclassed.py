"""Models and layers that are classes of the user's are loaded with their weights, however they were built."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

X = np.random.default_rng(0).random((8, 5), "float32")


class Branches(keras.Model):
    """Layers in a list; two inputs in a dict, list or tuple."""

    def __init__(self, keys, **kwargs):
        super().__init__(**kwargs)
        self.keys = keys
        self.branches = [layers.Dense(3) for _ in keys]

    def call(self, inputs):
        return sum(
            branch(inputs[key]) for branch, key in zip(self.branches, self.keys, strict=True)
        )

    def get_config(self):
        return {**super().get_config(), "keys": self.keys}


class OwnBuild(keras.Model):
    """A weight that is made in `build`."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale


CASES = {
    "dict": (lambda: Branches(["a", "b"]), {"a": X, "b": X + 1}),
    "list": (lambda: Branches([0, 1]), [X, X + 1]),
    "tuple": (lambda: Branches([1, 0]), (X, X + 1)),
    "own build": (OwnBuild, X),
}


def assert_round_trip(model, x, path):
    model.save(path)
    again = keras.models.load_model(path, custom_objects={type(model).__name__: type(model)})
    np.testing.assert_array_equal(model(x), again(x))
    assert len(again.weights) == len(model.weights) > 0


@pytest.mark.parametrize("built_by", ["fit", "predict", "call"])
@pytest.mark.parametrize("name", CASES)
def test_loads_however_it_was_built(name: str, built_by: str, tmp_path):
    make, x = CASES[name]
    model = make()
    model.compile("sgd", "mse")
    if built_by == "fit":
        model.fit(x, np.zeros((8, 5 if name == "own build" else 3)), verbose=0)
    elif built_by == "predict":
        model.predict(x, verbose=0)
    else:
        model(x)
    assert_round_trip(model, x, tmp_path / "m.keras")


@pytest.mark.parametrize("name", CASES)
def test_loads_from_an_h5_file(name: str, tmp_path):
    """Which Keras can write and not read."""
    make, x = CASES[name]
    model = make()
    model(x)
    assert_round_trip(model, x, tmp_path / "m.h5")


def test_an_h5_file_without_the_shapes_of_the_inputs_says_what_to_do(tmp_path):
    """As Keras writes it."""
    model = Branches([0, 1])
    model([X, X])
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        del config["build_config"]
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ValueError, match=r"for which inputs the Branches was built.*load_weights"):
        keras.models.load_model(tmp_path / "m.h5", custom_objects={"Branches": Branches})
    again = Branches([0, 1])
    again([X, X])
    again.load_weights(tmp_path / "m.h5")
    np.testing.assert_array_equal(model([X, X]), again([X, X]))


class InSet(keras.Model):
    """Layers in a set, whose own order is that of addresses."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.chain = [layers.Dense(4) for _ in range(12)]
        self.as_set = set(self.chain)

    def call(self, inputs):
        for layer in self.chain:
            inputs = layer(inputs)
        return inputs


@pytest.mark.parametrize("first", ["as_set", "chain"])
def test_layers_in_a_set_are_those_that_they_were(first, tmp_path):
    first_model, second = InSet(), InSet()
    for model in first_model, second:
        chain, as_set = model.chain, model.as_set
        del model.chain, model.as_set
        for name in sorted(["chain", "as_set"], reverse=first == "chain"):
            setattr(model, name, {"chain": chain, "as_set": as_set}[name])
        model(X[:, :4])
    first_model.save_weights(tmp_path / "m.weights.h5")
    second.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(first_model.chain, second.chain, strict=True):
        np.testing.assert_array_equal(a.kernel, b.kernel)
    names = [layer.name for layer in first_model.chain]
    assert [w.path.split("/")[-2] for w in first_model.weights[::2]] == names


class Loading(layers.Layer):
    """A layer that loads a model when it is made."""

    def __init__(self, file, **kwargs):
        super().__init__(**kwargs)
        self.file = file
        self.inner = keras.models.load_model(file, {"OwnBuild": OwnBuild})

    def call(self, inputs):
        return self.inner(inputs)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_layer_may_load_a_model_while_its_own_is_loaded(ending, tmp_path):
    inner = OwnBuild()
    inner(X)
    inner.scale.assign(np.arange(5.0))
    inner.save(tmp_path / "inner.keras")
    model = keras.Sequential([keras.Input((5,)), Loading(str(tmp_path / "inner.keras"))])
    model.save(tmp_path / f"m{ending}")
    again = keras.models.load_model(tmp_path / f"m{ending}", {"Loading": Loading})
    np.testing.assert_array_equal(again.get_weights()[0], np.arange(5.0))
    assert keras.models.clone_model(again).count_params() == 5
