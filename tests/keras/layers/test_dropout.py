"""What dropout and its kin do to the numbers, on average."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

MANY = np.ones((100, 20, 30), "float32")


def trained(layer, inputs=MANY):
    return layer(inputs, training=True).numpy()


def test_dropout_keeps_the_mean_and_drops_at_the_rate():
    y = trained(layers.Dropout(0.3, seed=1))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / np.float32(0.7)}
    # 60,000 draws: the standard deviation of the share is 0.0019
    assert abs((y == 0).mean() - 0.3) < 0.01


def test_noise_shape_shares_draws():
    y = trained(layers.Dropout(0.5, noise_shape=(None, 1, 30), seed=1))
    assert (y == y[:, :1]).all() and (y != y[:1]).any()
    y = trained(layers.Dropout(0.5, noise_shape=(20, 1), seed=1))
    assert (y == y[:1, :, :1]).all()


@pytest.mark.parametrize(
    ("layer", "axes"),
    [
        (layers.SpatialDropout1D(0.5, seed=1), (1,)),
        (layers.SpatialDropout2D(0.5, seed=1), (1, 2)),
        (layers.SpatialDropout2D(0.5, data_format="channels_first", seed=1), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=1), (1, 2, 3)),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_spatial_dropout_drops_whole_maps(layer, axes):
    y = trained(layer, np.ones((8,) + (4,) * (layer.rank + 1), "float32"))
    assert (y == y.mean(axis=axes, keepdims=True)).all()
    assert 0 < (y == 0).mean() < 1


def test_gaussian_noise_and_dropout_have_their_spread():
    assert abs(trained(layers.GaussianNoise(0.5, seed=1)).std() - 0.5) < 0.01
    y = trained(layers.GaussianDropout(0.2, seed=1))
    assert abs(y.mean() - 1) < 0.01 and abs(y.std() - 0.5) < 0.01


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=MANY.shape).astype("float32")
    y = trained(layers.AlphaDropout(0.2, seed=1), x)
    assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.02


def test_training_of_a_model_reaches_the_layer():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5)])
    x = np.ones((3, 4), "float32")
    np.testing.assert_array_equal(model(x), x)
    assert (model(x, training=True).numpy() != x).any()


def test_rate_zero_holds_no_generator():
    assert layers.Dropout(0).variables == []
    assert len(layers.Dropout(0.1).variables) == 1
