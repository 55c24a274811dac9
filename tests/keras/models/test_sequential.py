"""Stacks of layers, built at once or on first use."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.arange(8, dtype="float32").reshape(2, 4)


def make(*first, **kwargs):
    return keras.Sequential([*first, layers.Dense(3, **kwargs), layers.Dense(2)])


@pytest.mark.parametrize(
    "model",
    [
        lambda: make(keras.Input((4,))),
        lambda: make(layers.InputLayer(shape=(4,))),
        lambda: make(input_shape=(4,)),
        lambda: make(input_dim=4),
        lambda: make(batch_input_shape=(None, 4)),
    ],
)
def test_an_input_builds_the_model_at_once(model):
    model = model()
    assert model.built and model.output_shape == (None, 2) and model.count_params() == 23
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"] or len(model.layers) == 2


def test_without_an_input_the_first_use_builds():
    model = make()
    assert not model.built
    with pytest.raises(AttributeError, match="no symbolic inputs"):
        _ = model.inputs
    assert model(X).shape == (2, 2)
    assert model.built and model.input_shape == (None, 4)


def test_build_takes_a_shape():
    model = make()
    model.build((None, 4))
    assert model.count_params() == 23


def test_weight_paths_carry_the_name_of_the_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, name="a")], name="stack")
    model.add(layers.Dense(1, name="b"))
    assert [v.path for v in model.weights] == [
        *("stack/a/kernel", "stack/a/bias", "stack/b/kernel", "stack/b/bias")
    ]


def test_add_and_pop():
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    kept = model.layers[0].get_weights()
    assert model.pop().units == 2
    assert model.output_shape == (None, 3) and len(model.layers) == 1
    for a, b in zip(kept, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.add(layers.Dense(5))
    model.pop(rebuild=False)
    assert model(X).shape == (2, 3)


def test_config_round_trip():
    model = make(keras.Input((4,)))
    again = keras.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert_close(again(X), model(X))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_close(clone(X), model(X))
    assert clone.layers[0] is not model.layers[0]


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda m: m.add(len), TypeError, "keras.layers.Lambda"),
        (lambda m: m.add("dense"), TypeError, "takes layers"),
        (lambda m: m.add(layers.Dense(1, name="taken")), ValueError, "layer named 'taken' already"),
        (lambda m: m.add(keras.Input((3,))), ValueError, "only be the first"),
    ],
)
def test_what_can_not_be_added(act, error, text):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="taken")])
    with pytest.raises(error, match=text):
        act(model)
    assert model(X).shape == (2, 2)


def test_an_empty_model_says_so():
    with pytest.raises(ValueError, match="no layers"):
        keras.Sequential()(X)
    with pytest.raises(ValueError, match="no layers to take off"):
        keras.Sequential().pop()


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([layers.Dense(3)]),
        lambda: keras.Sequential([keras.Input((6, 4)), layers.Dense(3)]),
    ],
    ids=["built by its first data", "with an input"],
)
def test_sizes_are_those_that_the_layers_take(make):
    model = make()
    assert model(np.ones((2, 6, 4))).shape == (2, 6, 3)
    assert model(np.ones((2, 1, 4))).shape == (2, 1, 3)  # a sentence of another length
    assert model.predict(np.ones((2, 5, 4)), verbose=0).shape == (2, 5, 3)
    with pytest.raises(ValueError, match="expected size 4 on axis -1 of the input, received 5"):
        model(np.ones((2, 6, 5)))
    with pytest.raises(ValueError, match=r"of shape \(None, 6, 4\), received shape \(6, 4\)"):
        model(np.ones((6, 4)))
