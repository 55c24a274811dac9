"""What `fit` knows of where it stands."""

import copy
import pickle
import random

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.rng import (
    default_seed_state,
    host_generator_state,
    make_seed,
    set_default_seed_state,
    set_host_generator_state,
)

X, Y = np.ones((11, 2), "float32"), np.zeros(11, "float32")


class Watching(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.states = []

    def on_train_batch_end(self, batch, logs=None):
        self.states.append(self.model._run.state())


def test_state_in_mid_epoch():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stopping, watching = keras.callbacks.EarlyStopping("loss"), Watching()
    model.fit(X, Y, batch_size=3, epochs=2, verbose=0, callbacks=[stopping, watching])
    steps = [(epoch, step) for epoch in range(2) for step in (1, 2, 3, 4)]
    assert [(s["epoch"], s["step"]) for s in watching.states] == steps
    assert [s["feed"]["source"]["used"] for s in watching.states] == [1, 2, 3, 4] * 2
    assert len({s["feed"]["source"]["seed"] for s in watching.states}) == 2
    assert all(isinstance(s["callbacks"], list) and s["callbacks"] for s in watching.states)
    assert all(s["feed"]["is_open"] for s in watching.states) and model._run is None


def test_default_seeds_go_on_from_their_state():
    state = default_seed_state()
    drawn = [make_seed() for _ in range(3)]
    set_default_seed_state(state)
    assert [make_seed() for _ in range(3)] == drawn


def test_generators_of_the_host_go_on_from_their_state():
    state = host_generator_state()
    drawn = random.random(), np.random.random()
    set_host_generator_state(state)
    assert (random.random(), np.random.random()) == drawn


def forever():
    while True:
        yield X, Y


class AtFirstEpoch(keras.callbacks.Callback):
    def __init__(self, act):
        super().__init__()
        self.act = act
        self.found = []

    def on_epoch_end(self, epoch, logs=None):
        self.found += [self.act(self.model)] if epoch == 0 else []


def compiled():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_a_fit_inside_a_fit():
    def train(model):
        outer = model._run
        inner = model.fit(X, Y, epochs=1, verbose=0)
        return outer is not None and model._run is outer, inner

    model, watching = compiled(), AtFirstEpoch(train)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[watching])
    (is_kept, inner) = watching.found[0]
    assert is_kept and inner is not history and inner.epoch == [0]
    assert history.epoch == [0, 1, 2] and len(history.history["loss"]) == 3
    assert model.history is history and model._run is None


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "pickle"],
)
def test_a_copy_of_a_model_that_is_being_trained(copied):
    watching = AtFirstEpoch(lambda model: (copied(model), model.predict(X, verbose=0)))
    model = compiled()
    model.fit(forever(), steps_per_epoch=2, epochs=2, verbose=0, callbacks=[watching])
    twin, expected = watching.found[0]
    assert twin._run is None
    np.testing.assert_array_equal(twin.predict(X, verbose=0), expected)
    assert np.isfinite(twin.fit(X, Y, verbose=0).history["loss"][0])
