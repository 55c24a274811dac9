"""Batch normalisation: which statistics are used when, and how they move."""

from __future__ import annotations

import jax
import numpy as np

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(3.0, 2.0, (64, 3)).astype("float32")


def test_training_normalises_and_moves_the_averages():
    layer = layers.BatchNormalization(momentum=0.9, epsilon=1e-6)
    y = layer(X, training=True).numpy()
    assert_close(y.mean(axis=0), np.zeros(3, "float32"))
    assert_close(y.var(axis=0), np.ones(3, "float32"))
    assert_close(layer.moving_mean, 0.1 * X.mean(axis=0))
    assert_close(layer.moving_variance, 0.9 + 0.1 * X.var(axis=0))  # the biased variance, as Keras


def test_inference_uses_the_averages_and_leaves_them():
    layer = layers.BatchNormalization()
    layer(X, training=True)
    before = layer.get_weights()
    first, second = layer(X), layer(X, training=False)
    np.testing.assert_array_equal(first, second)
    for value, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    assert_close(first, (X - mean) / np.sqrt(variance + 1e-3))


def test_frozen_is_inference():
    layer = layers.BatchNormalization()
    layer(X)
    layer.trainable = False
    before = layer.get_weights()
    np.testing.assert_array_equal(layer(X, training=True), layer(X, training=False))
    np.testing.assert_array_equal(layer.get_weights(), before)
    assert layer.trainable_weights == []


def test_mask_leaves_out_what_it_hides():
    x = np.random.default_rng(1).normal(size=(4, 5, 2)).astype("float32")
    mask = np.arange(5) < np.array([[5], [3], [1], [4]])
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=mask)
    assert_close(layer.moving_mean, x[mask].mean(axis=0))
    assert_close(layer.moving_variance, x[mask].var(axis=0))


def test_mixed_precision_keeps_statistics_in_float32():
    layer = layers.BatchNormalization(momentum=0.0, dtype="mixed_bfloat16")
    y = layer(X + 1000, training=True)
    assert y.dtype == "bfloat16" and layer.moving_variance.dtype == "float32"
    # What bfloat16 makes of inputs near 1000 (steps of 4 to 8) is normalised without further loss.
    seen = np.asarray(jax.numpy.asarray(X + 1000, "bfloat16").astype("float32"))
    assert_close(layer.moving_mean, seen.mean(axis=0))
    assert_close(layer.moving_variance, seen.var(axis=0))


def test_pure_call_gives_the_new_averages():
    layer = layers.BatchNormalization()
    layer(X)
    old = layer.get_weights()[2:]
    state = (
        [v.value for v in layer.trainable_variables],
        [v.value for v in layer.non_trainable_variables],
    )
    _, new = jax.jit(lambda x: layer.stateless_call(*state, x, training=True))(X)
    np.testing.assert_array_equal(layer.get_weights()[2:], old)
    layer(X, training=True)
    assert_close(new, layer.get_weights()[2:])


def test_in_a_model_under_fit():
    model = keras.Sequential(
        [keras.Input((3,)), layers.BatchNormalization(momentum=0.5), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=64, epochs=1, verbose=0)
    assert_close(model.layers[0].moving_mean, 0.5 * X.mean(axis=0))
