"""Copies and pickles of layers and models."""

import copy
import pickle

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")
Y = X[:, :3]


def pickled(obj):
    return pickle.loads(pickle.dumps(obj))


both_ways = pytest.mark.parametrize("way", [copy.deepcopy, pickled])


def functional():
    x = keras.Input((4,))
    h = layers.Dropout(0.5, seed=1)(layers.Dense(3, activation="relu", name="first")(x))
    return keras.Model(x, [h + 1, layers.BatchNormalization(name="last")(h)])


@both_ways
def test_a_layer_has_weights_of_its_own(way):
    dense = layers.Dense(3)
    unbuilt = way(dense)
    expected = dense(X)
    twin = way(dense)
    assert_close(twin(X), expected)
    twin.kernel.assign(0 * twin.kernel)
    assert_close(dense(X), expected)
    assert not unbuilt.built and unbuilt.name == twin.name == dense.name
    assert unbuilt(X).shape == (4, 3)


@both_ways
def test_a_layer_of_a_model_leaves_the_model_behind(way):
    x = keras.Input((4,))
    dense = layers.Dense(3)
    model = keras.Model(x, dense(layers.Dense(1000)(x)))
    twin = way(dense)
    assert len(pickle.dumps(dense)) < 50_000  # the layer before it has 5,000 weights
    assert model.output_shape == (None, 3) and twin(np.ones((1, 1000))).shape == (1, 3)


@both_ways
def test_a_functional_model_keeps_its_graph(way):
    model = functional()
    twin = way(model)
    for a, b in zip(twin(X), model(X), strict=True):
        assert_close(a, b)
    assert twin.get_layer("first") is not model.get_layer("first")
    part = keras.Model(twin.input, twin.get_layer("first").output)
    twin.set_weights([0 * w for w in twin.get_weights()])
    assert_close(part(X), np.zeros((4, 3)))
    assert np.asarray(model(X)[0]).std() > 0


@both_ways
def test_a_compiled_model_goes_on_training(way):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dropout(0.5, seed=3)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0, shuffle=False)
    twin = way(model)
    logs = [each.fit(X, Y, verbose=0, shuffle=False).history for each in (model, twin)]
    assert logs[0] == logs[1]
    for a, b in zip(model.variables, twin.variables, strict=True):
        assert a is not b
        assert_close(a, b)


@both_ways
def test_a_deep_model(way):
    x = h = keras.Input((2,))
    for _ in range(400):
        h = layers.Activation("relu")(h)
    twin = way(keras.Model(x, h))
    assert len(twin.layers) == 401


def test_a_frozen_copy_trains_as_its_flags_say():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, trainable=False), layers.Dense(3)])
    model.compile("sgd", "mse")
    twin = copy.deepcopy(model)
    first = twin.layers[0].kernel.numpy()
    twin.fit(X, Y, verbose=0)
    assert (twin.layers[0].kernel.numpy() == first).all()


def test_what_a_copy_trains_was_settled_at_compile():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, trainable=False), layers.Dense(3)])
    model.compile("sgd", "mse")
    twin = copy.deepcopy(model)
    twin.layers[0].trainable = True
    first = twin.layers[0].kernel.numpy()
    with pytest.warns(UserWarning, match=r"\(now True\)"):
        twin.fit(X, Y, verbose=0)
    assert (twin.layers[0].kernel.numpy() == first).all()
