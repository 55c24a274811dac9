"""Variables and layers that are made in a `call`: once is right, each time anew trains nothing and is told."""

import traceback

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

X, Y = np.ones((4, 2), "float32"), np.zeros((4, 2), "float32")


class Loose(keras.layers.Layer):
    def call(self, x):
        return x * tf.Variable([1.0, 1.0])  # the line that is told


class LooseLayer(keras.layers.Layer):
    def call(self, x):
        return keras.layers.Dense(2)(x)  # the line that is told


class Replaced(keras.layers.Layer):
    def call(self, x):
        self.w = tf.Variable([1.0, 1.0])  # the line that is told
        return x * self.w


class ReplacedLayer(keras.layers.Layer):
    def call(self, x):
        self.inner = keras.layers.Dense(2)  # the line that is told
        return self.inner(x)


class Once(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.w = None
        self.inner = None

    def call(self, x):
        if self.w is None:
            self.w = tf.Variable([1.0, 1.0])
            self.inner = keras.layers.Dense(2)
        scratch = tf.Variable(1.0, trainable=False)
        return self.inner(x * self.w) * scratch.assign_add(1.0)


class Switching(keras.layers.Layer):
    """Keeps one or the other of its layers in an attribute."""

    def __init__(self):
        super().__init__()
        self.both = [keras.layers.Dense(2), keras.layers.Dense(2)]
        self.current = None

    def call(self, x):
        for each in self.both:
            self.current = each
            x = self.current(x)
        return x


def model_of(layer):
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def shows_the_line(error):
    lines = [each.line for each in traceback.extract_tb(error.value.__traceback__)]
    return any("the line that is told" in (line or "") for line in lines)


@pytest.mark.parametrize("cls", [Loose, LooseLayer])
def test_a_weight_made_anew_is_told(cls):
    text = r"is a trainable variable that is made anew on every call.*add_weight"
    with pytest.raises(ValueError, match=text) as error:
        model_of(cls()).fit(X, Y, verbose=0)
    assert shows_the_line(error)
    with pytest.raises(ValueError, match=text):
        model_of(cls()).predict(X, verbose=0)
    assert cls()(X).shape == (4, 2)  # outside of programs, as in TensorFlow


@pytest.mark.parametrize(("cls", "name"), [(Replaced, "w"), (ReplacedLayer, "inner")])
def test_what_a_call_replaces_is_told(cls, name):
    text = rf"makes `self.{name}` anew in its `call`.*`build\(self, input_shape\)`"
    with pytest.raises(ValueError, match=text) as error:
        model_of(cls()).fit(X, Y, verbose=0)
    assert shows_the_line(error)


@pytest.mark.parametrize(("cls", "count"), [(Once, 3), (Switching, 4)])
def test_what_is_made_once_is_trained(cls, count):
    model = model_of(cls())
    losses = model.fit(X, Y, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0] and len(model.trainable_variables) == count
