"""Kinds of models in each format, from one library to the other and back, with the same steps of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from tests.parity import test_archive
from tests.parity.exchange import (
    BOTH,
    assert_same_predictions,
    assert_same_states,
    assert_same_step,
    check_there_and_back,
    exchange_weights,
    sides,
)

layers = keras.layers
WORDS = np.array([[1, 2, 3, 0, 0], [4, 0, 0, 0, 0], [5, 6, 7, 8, 9], [9, 8, 0, 0, 0]], "int32")
RNG = np.random.default_rng(0)


def draw(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def shared_with_masks() -> Any:
    """Return a model in which two inputs with masks go through the same layers."""
    a, b = keras.Input((5,), dtype="int32", name="a"), keras.Input((5,), dtype="int32", name="b")
    embed, encode = layers.Embedding(10, 3, mask_zero=True), layers.GRU(3)
    distance = layers.Dot(1)([encode(embed(a)), encode(embed(b))])
    model = keras.Model([a, b], layers.Dense(1)(distance))
    model.compile(keras.optimizers.Adagrad(0.1), keras.losses.MeanSquaredError(), metrics=["mae"])
    return model, [WORDS, WORDS[::-1].copy()], draw(4, 1)


def stateful() -> Any:
    """Return a recurrent model that goes on from batch to batch."""
    rnn = layers.LSTM(3, stateful=True, return_sequences=True)
    model = keras.Sequential(
        [keras.Input(batch_shape=(2, 3, 4)), rnn, layers.GRU(2, stateful=True)]
    )
    model.compile(keras.optimizers.RMSprop(0.01), keras.losses.MeanSquaredError())
    return model, draw(2, 3, 4), draw(2, 2)


def with_statistics() -> Any:
    """Return a model with shared and frozen BatchNormalizations, and one in a model inside."""
    x = keras.Input((6, 6, 2))
    normalize = layers.BatchNormalization(momentum=0.5)
    h = normalize(layers.Conv2D(2, 3, padding="same")(normalize(x)))
    frozen = layers.BatchNormalization(trainable=False)
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.BatchNormalization(), layers.Conv2D(3, 3)], name="inner"
    )
    h = layers.GlobalAveragePooling2D()(inner(frozen(layers.ReLU()(h))))
    model = keras.Model(x, layers.Dense(3, "softmax")(h))
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model, draw(4, 6, 6, 2), np.array([0, 2, 1, 1], "int32")


def dicts() -> Any:
    """Return a model whose inputs and outputs are dicts, with a frozen layer and a schedule."""
    return test_archive.nested(keras)


def attention() -> Any:
    """Return a block of a transformer; softmax does not change when the bias of all keys does."""
    x = keras.Input((5, 4))
    h = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
    h = layers.LayerNormalization()(layers.Add()([x, h]))
    h = layers.Add()([h, layers.Dense(4)(layers.Dense(8, activation="gelu")(h))])
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(h)))
    model.compile(keras.optimizers.Adam(0.01, epsilon=1e-2), keras.losses.Huber())
    return model, draw(4, 5, 4), draw(4, 2)


def losses_inside() -> Any:
    """Return a model with regularizers, constraints, and losses that layers add."""
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, kernel_regularizer="l2", bias_regularizer="l1", activation="tanh"),
            layers.ActivityRegularization(l1=0.1, l2=0.1),
            layers.Dense(2, kernel_constraint="non_neg", activity_regularizer="l2"),
        ]
    )
    model.compile(keras.optimizers.Nadam(0.05), keras.losses.LogCosh())
    return model, draw(4, 4), draw(4, 2)


def called_twice() -> Any:
    """Return a model that calls another one twice, inside a third."""
    y = keras.Input((4,))
    inner = keras.Model(y, layers.Dense(3, activation="tanh")(y), name="inner")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    middle = keras.Model([a, b], layers.Subtract()([inner(a), inner(b)]), name="middle")
    c, d = keras.Input((4,), name="c"), keras.Input((4,), name="d")
    model = keras.Model([c, d], layers.Dense(1)(middle([c, d])))
    model.compile(keras.optimizers.Lion(0.01), keras.losses.MeanAbsoluteError())
    return model, [draw(4, 4), draw(4, 4)], draw(4, 1)


def wrapped() -> Any:
    """Return a model of wrappers around recurrent layers and cells."""
    cells = [layers.LSTMCell(3), layers.GRUCell(2)]
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(3)),
            layers.RNN(cells),
        ]
    )
    model.compile(keras.optimizers.Adamax(0.05), keras.losses.MeanSquaredError())
    return model, draw(3, 4, 3), draw(3, 2)


def several_losses() -> Any:
    """Return a model with a list of outputs: losses, weights of losses, and metrics with and without weights."""
    x = keras.Input((4,))
    h = layers.Dense(3, activation="relu")(x)
    ends = [layers.Dense(2, name="p")(h), layers.Dense(1, "sigmoid", name="q")(h)]
    model = keras.Model(x, ends)
    model.compile(
        keras.optimizers.AdamW(0.05, weight_decay=0.1),
        [keras.losses.Huber(), keras.losses.BinaryCrossentropy(label_smoothing=0.1)],
        loss_weights=[0.3, 1.0],
        metrics=[["mae"], [keras.metrics.AUC(name="auc")]],
        weighted_metrics=[[], ["accuracy"]],
    )
    return model, draw(4, 4), [draw(4, 2), np.float32([[0], [1], [1], [0]])]


KINDS = {
    "shared with masks": shared_with_masks,
    "stateful": stateful,
    "statistics": with_statistics,
    "dicts": dicts,
    "attention": attention,
    "losses inside": losses_inside,
    "called twice": called_twice,
    "wrapped": wrapped,
    "several losses": several_losses,
}
QUICK = ("losses inside", "several losses")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in KINDS],
)
def test_there_and_back(kind: str, tmp_path: Path) -> None:
    check_there_and_back(*KINDS[kind](), tmp_path)


@BOTH
def test_a_subclassed_model_trains_on(way: str, tmp_path: Path) -> None:
    """In `.keras` and `.weights.h5`: no format of old holds a model that is code."""
    source, target = sides(way)
    x, y = draw(4, 5), {"one": draw(4, 1), "two": draw(4, 2)}
    written = test_archive.net(source)["Net"](4)
    losses = {name: source.losses.MeanSquaredError() for name in y}
    written.compile(source.optimizers.SGD(0.1, momentum=0.9), losses)
    written.train_on_batch(x, y)
    written.save(tmp_path / "m.keras")
    read = target.models.load_model(tmp_path / "m.keras", custom_objects=test_archive.net(target))
    assert_same_states(read, written, exact=True)
    assert_same_predictions(read, written, x)
    assert_same_step(read, written, x, y)
    exchange_weights(read, written, tmp_path / "m.weights.h5")
    assert_same_step(read, written, x, y)
