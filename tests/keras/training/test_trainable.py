"""`trainable` counts as it was when the model was compiled, until it is compiled again."""

import threading
import warnings

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X[:, :1]


def make():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="first"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def changed(model, act):
    """Which layers with weights an action changes."""
    held = [layer for layer in model.layers if layer.weights]
    before = [layer.get_weights() for layer in held]
    act()
    return [
        any((a != b).any() for a, b in zip(old, layer.get_weights(), strict=True))
        for old, layer in zip(before, held, strict=True)
    ]


def test_freezing_counts_from_the_next_compile():
    model = make()
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    with pytest.warns(
        UserWarning, match=r"'sequential\w*' was compiled: \S*first \(now False\).*compile\("
    ):
        assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [True, True]
    model.compile("sgd", "mse")
    assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [False, True]
    assert changed(model, lambda: model.train_on_batch(X, Y)) == [False, True]


def test_thawing_counts_from_the_next_compile():
    model = make()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.layers[0].trainable = True
    with pytest.warns(UserWarning, match=r"first \(now True\)"):
        assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [False, True]
    model.compile("sgd", "mse")
    assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [True, True]


def test_a_change_before_the_first_fit_waits_too():
    model = keras.Sequential([layers.Dense(2, name="first"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    model(X)
    with pytest.warns(UserWarning, match="first"):
        assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [True, True]


def test_a_weight_frozen_by_itself():
    model = make()
    model.layers[1].bias.trainable = False
    model.compile("sgd", "mse")
    model.layers[1].bias.trainable = True
    with pytest.warns(UserWarning, match=r"bias \(now True\)"):
        model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.layers[1].bias.numpy(), [0.0])


def test_each_change_is_told_once_and_a_change_back_not_at_all():
    model = make()
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="first"):
        model.fit(X, Y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)
        model.layers[0].trainable = True
        model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="first"):
        model.fit(X, Y, verbose=0)


def test_two_compiled_models_share_a_judge():
    judge = keras.Sequential([keras.Input((2,)), layers.BatchNormalization(), layers.Dense(1)])
    judge.compile("sgd", "mse")
    maker = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    judge.trainable = False
    noise = keras.Input((3,))
    both = keras.Model(noise, judge(maker(noise)))
    both.compile("sgd", "mse")
    real = X[:, :2] + 3
    for _ in range(2):
        assert changed(judge, lambda: judge.train_on_batch(real, Y)) == [True, True]
        assert changed(judge, lambda: both.train_on_batch(X, Y)) == [False, False]
        assert changed(maker, lambda: both.train_on_batch(X, Y)) == [True]
    assert not judge.trainable and not judge.trainable_variables


def test_a_step_of_ones_own_sees_what_was_trainable_at_compile():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)
            self.counts = []

        def call(self, x):
            return self.out(x)

        def train_step(self, data):
            self.counts.append(len(self.trainable_variables))
            return super().train_step(data)

    model = Own()
    model.compile("sgd", "mse")
    model(X)
    model.out.trainable = False
    model.train_on_batch(X, Y)
    assert set(model.counts) == {2}
    assert model.trainable_variables == []


def test_layers_added_after_compile_train():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.add(layers.Dense(1))
    assert changed(model, lambda: model.fit(X, Y, verbose=0)) == [True, True]


def test_other_threads_see_the_flags_as_they_are():
    model, seen = make(), []

    class Look(keras.losses.Loss):
        def call(self, y, p):
            thread = threading.Thread(target=lambda: seen.append(model.layers[0].trainable))
            thread.start()
            thread.join()
            seen.append(model.layers[0].trainable)
            return keras.ops.mean((y - p) ** 2, axis=-1)

    model.compile("sgd", Look())
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match="now False"):
        model.fit(X, Y, verbose=0)
    assert seen[:2] == [False, True]
