"""Every object of a model has a place in files, each its own."""

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers
from hornbeam.keras.saving.places import places


class Block(keras.Model):
    """Its `layers` are listed anew whenever they are asked for, and again inside the lists of the model around it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(2)
        self.more = [layers.Dense(2)]

    def call(self, x):
        return self.more[0](self.dense(x))


def nested(count):
    x = keras.Input((2,))
    y = x
    for number in range(count):
        if number % 2:
            y = Block()(y)
        else:
            inner = keras.Input((2,))
            y = keras.Model(inner, layers.Dense(2)(inner))(y)
    return keras.Model(x, y)


def test_models_inside_a_model_have_all_their_layers_in_files():
    """Lists that are made for the walk alone must not be taken for one another when they are gone."""
    model = nested(40)
    found = places(model)
    assert {id(obj) for _, obj in found} >= {id(layer) for layer in model.flatten_layers()}
    assert len({place for place, _ in found}) == len(found)


def test_two_loaded_models_in_one(tmp_path):
    """An ensemble of one model that was loaded twice."""
    inner = keras.Input((2,))
    keras.Model(inner, layers.Dense(2)(inner)).save(tmp_path / "one.keras")
    x = keras.Input((2,))
    for _ in range(5):
        members = []
        for number in range(2):
            member = keras.models.load_model(tmp_path / "one.keras")
            member.name = f"member_{number}"
            members.append(member)
        both = keras.Model(x, layers.Average()([member(x) for member in members]))
        both.set_weights([np.full(v.shape, i) for i, v in enumerate(both.weights)])
        both.save(tmp_path / "both.keras")
        again = keras.models.load_model(tmp_path / "both.keras")
        for old, new in zip(both.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
