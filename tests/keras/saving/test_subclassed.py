"""Models and layers that are classes of the user's are loaded with their weights, however they were built."""

from __future__ import annotations

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
    model.save(tmp_path / "m.keras")
    known = {type(model).__name__: type(model)}
    again = keras.models.load_model(tmp_path / "m.keras", custom_objects=known)
    np.testing.assert_array_equal(model(x), again(x))
    assert len(again.weights) == len(model.weights) > 0
