"""Clones have the form of a model, and share nothing with it; models come back from JSON text."""

import json

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.arange(8, dtype="float32").reshape(2, 4) / 8


def nested():
    deep = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="deep")], name="three")
    x = keras.Input((4,), name="x")
    shared = layers.Dense(3, name="shared")
    h = deep(shared(x)) + 2 * shared(x * 3)
    return keras.Model(x, {"head": layers.Dense(2, name="head")(h), "h": h}, name="one")


def same_form(clone, model):
    assert json.dumps(clone.get_config()) == json.dumps(model.get_config())
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    for key, value in model(X).items():
        assert_close(clone(X)[key], value)


@pytest.mark.parametrize("recursive", [False, True])
def test_a_clone_is_the_same_form(recursive):
    model = nested()
    clone = keras.models.clone_model(model, recursive=recursive)
    assert not np.array_equal(clone(X)["h"], model(X)["h"])
    same_form(clone, model)


def test_json_text():
    model = nested()
    same_form(keras.models.model_from_json(model.to_json()), model)
    config = json.loads(model.to_json())
    config["config"]["layers"][0]["inbound_nodes"] = 0.5
    sparse = json.loads(model.to_json())
    sparse["config"]["layers"][0]["config"]["sparse"] = True
    for text, error in (
        ("{", "The text is no valid JSON"),
        ("3", "describes a int"),
        ("model.json", r"begins with 'model.json'; .* model_from_json\(open\(path\)"),
        (json.dumps(config), "the text describes no model that can be made"),
        (json.dumps(sparse), "NotImplementedError: Sparse"),
    ):
        with pytest.raises(ValueError, match=error):
            keras.models.model_from_json(text)
    with pytest.raises(TypeError, match="received a dict"):
        keras.models.model_from_json(config)


def test_a_clone_function_makes_each_layer_once():
    seen = []

    def make(layer):
        seen.append(layer.name)
        config = layer.get_config()
        return type(layer).from_config(
            {**config, "activation": "tanh"} if "units" in config else config
        )

    clone = keras.models.clone_model(nested(), clone_function=make)
    assert sorted(seen) == ["head", "shared", "three"]
    assert clone.get_layer("head").activation is keras.activations.tanh
    assert clone.get_layer("three").get_layer("deep").activation is keras.activations.linear
    seen.clear()
    clone = keras.models.clone_model(nested(), clone_function=make, recursive=True)
    assert sorted(seen) == ["deep", "head", "shared"]
    assert clone.get_layer("three").get_layer("deep").activation is keras.activations.tanh


def test_a_call_function_may_add_layers():
    def call(layer, *args, **kwargs):
        out = layer(*args, **kwargs)
        return layers.ReLU(name="after")(out) if layer.name == "head" else out

    model = nested()
    clone = keras.models.clone_model(model, call_function=call)
    clone.set_weights(model.get_weights())
    assert_close(clone(X)["head"], np.maximum(model(X)["head"], 0))
    assert clone.get_layer("after")
    with pytest.raises(ValueError, match="functional models only"):
        keras.models.clone_model(keras.Sequential([keras.Input((3,))]), call_function=call)


def test_input_tensors():
    model = nested()
    x = keras.Input((4,))
    clone = keras.models.clone_model(model, input_tensors=layers.Rescaling(2.0)(x))
    whole = keras.Model(x, clone.output)
    whole.set_weights(model.get_weights())
    assert_close(whole(X)["h"], model(2 * X)["h"])
    with pytest.raises(ValueError, match="in the structure of the model's inputs"):
        keras.models.clone_model(model, input_tensors=[x, x])
    stack = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert keras.models.clone_model(stack, input_tensors=x).inputs[0] is x


def test_a_compiled_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.5), loss=lambda y, p: p - y, metrics=["mae"])
    clone = keras.models.clone_model(model)
    assert clone.compiled and clone.optimizer is not model.optimizer
    assert float(clone.optimizer.learning_rate) == 0.5 and clone.loss is model.loss
    clone.fit(X, X[:, :1], verbose=0)
    assert model.optimizer.iterations == 0


def test_what_is_frozen_stays_so():
    x = keras.Input((4,))
    frozen = layers.Dense(3, name="frozen", trainable=False)
    model = keras.Model(x, layers.Dense(2)(frozen(x)))
    stack = keras.Sequential([keras.Input((4,)), layers.Dense(3, trainable=False), layers.Dense(2)])
    for each in (model, stack):
        for again in (type(each).from_config(each.get_config()), keras.models.clone_model(each)):
            assert len(again.trainable_weights) == 2 and again.trainable


@keras.saving.register_keras_serializable("tests")
class Doubling(keras.Model):
    """A subclass that is made of a graph."""

    def __init__(self, inputs, outputs, name=None, factor=2):
        super().__init__(inputs, outputs, name=name)
        self.factor = factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_a_subclass_made_of_a_graph():
    x = keras.Input((4,))
    model = Doubling(x, layers.Dense(2)(x), factor=5)
    again = keras.models.model_from_json(model.to_json())
    assert type(again) is Doubling and again.factor == 5
    assert type(keras.models.clone_model(model)) is Doubling


def test_subclassed_models():
    class Net(keras.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.head = layers.Dense(units)

        def call(self, x):
            return self.head(x)

    clone = keras.models.clone_model(Net(3, name="net"))
    assert type(clone) is Net and clone.units == 3
    with pytest.raises(ValueError, match=r"can be cloned with clone_function; received a Net"):
        keras.models.clone_model(Net(3), clone_function=lambda layer: layer)
    with pytest.raises(ValueError, match="received a Dense"):
        keras.models.clone_model(layers.Dense(3))
