"""Layers in lists and dicts that are changed between two calls: weights, training and compiled programs follow."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


class Stack(keras.Model):
    """Runs the layers in `held`, a list, a dict or both nested, in their order."""

    def __init__(self, hold):
        super().__init__()
        self.held = hold([layers.Dense(3, activation="tanh") for _ in range(3)])

    def call(self, inputs):
        for layer in leaves(self.held):
            inputs = layer(inputs)
        return inputs


def leaves(held):
    items = held.values() if isinstance(held, dict) else held
    for each in items:
        yield from leaves(each) if isinstance(each, (list, dict)) else [each]


HOLDERS = {
    "list": (list, lambda held: held),
    "nested list": (lambda items: [[items]], lambda held: held[0][0]),
    "list in a dict": (lambda items: {"blocks": items}, lambda held: held["blocks"]),
    "dict in a list": (lambda items: [{"all": items}], lambda held: held[0]["all"]),
}
CHANGES = {
    "reverse": lambda items: items.reverse(),
    "pop": lambda items: items.pop(),
    "delete": lambda items: items.__delitem__(0),
    "swap": lambda items: items.__setitem__(slice(0, 2), [items[1], items[0]]),
    "repeat": lambda items: items.append(items[0]),
    "clear": lambda items: items.clear(),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("change", CHANGES)
def test_predictions_follow(holder, change):
    hold, inside = HOLDERS[holder]
    model = Stack(hold)
    model.predict(X, verbose=0)
    before = {id(w) for layer in leaves(model.held) for w in layer.weights}
    CHANGES[change](inside(model.held))
    held = list(leaves(model.held))
    assert_close(model.predict(X, verbose=0), model(X))
    now = {id(w) for layer in held for w in layer.weights}
    assert {id(w) for w in model.weights} == now <= before
    assert len(model.trainable_weights) == len(now)


def test_a_value_of_a_dict_is_replaced():
    model = Stack(lambda items: dict(zip("abc", items, strict=True)))
    model.predict(X, verbose=0)
    model.held["b"] = model.held["a"]
    assert_close(model.predict(X, verbose=0), model(X))
    assert len(model.weights) == 4


@pytest.mark.parametrize("change", ["reverse", "pop", "repeat"])
def test_training_follows(change):
    model, twin = Stack(list), Stack(list)
    model(X), twin(X)
    twin.set_weights(model.get_weights())
    for each in (model, twin):
        each.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    twin.set_weights(model.get_weights())
    CHANGES[change](model.held)
    CHANGES[change](twin.held)
    model.fit(X, X, verbose=0)
    twin.fit(X, X, verbose=0)  # its first program is made after the change
    assert_close(model.get_weights(), twin.get_weights())
    assert len(model.get_weights()) == (4 if change == "pop" else 6)


def test_seeds_of_layers_that_are_taken_out_are_no_state():
    model = Stack(lambda items: [*items, layers.Dropout(0.5)])
    model(X)
    count = len(model.variables)
    model.held.pop()
    assert len(model.variables) == count - 1
