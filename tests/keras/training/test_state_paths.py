"""Every variable of a training has one path, and the same one in every process that builds the model so."""

from __future__ import annotations

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.rng import global_generator
from hornbeam.keras.sources.arrays import ArraySource
from hornbeam.keras.training.programs import program_for
from hornbeam.keras.training.state import variables_by_path

layers = keras.layers


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(4), [layers.Dense(4), layers.Dropout(0.5)]]
        self.by_name = {"a": layers.Dense(4)}
        self.scale = self.add_weight(shape=(), name="scale")
        self.free = keras.Variable(np.ones(2), name="free")
        self.seeds = keras.random.SeedGenerator(1)
        self.watched = keras.metrics.AUC(name="watched")

    def call(self, x, training=False):
        x = self.blocks[1][1](self.blocks[1][0](self.blocks[0](x)), training=training)
        return self.by_name["a"](x) * self.scale


class Pair(keras.Model):
    """Two parts with an optimizer each, trained by a step of its own."""

    def __init__(self):
        super().__init__()
        self.maker = keras.Sequential([layers.Dense(4), layers.BatchNormalization()])
        self.judge = keras.Sequential([layers.Dense(4), layers.Dense(1)])

    def compile(self):
        super().compile(loss=None)
        self.first = keras.optimizers.Adam()
        self.second = keras.optimizers.SGD(momentum=0.5)
        self.tracker = keras.metrics.Mean(name="judge_loss")

    def call(self, x):
        return self.judge(self.maker(x))

    def train_step(self, data):
        x, _ = data
        self(x)
        for optimizer, part in ((self.first, self.maker), (self.second, self.judge)):
            optimizer.build(part.trainable_variables)
        self.tracker.update_state(1.0)
        return {"judge_loss": self.tracker.result()}


def own():
    model = Own()
    model.compile("adam", "mse", metrics=["mae", keras.metrics.AUC()], weighted_metrics=["mse"])
    return model


def nested():
    shared = layers.Dense(4)
    inner = keras.Sequential([keras.Input((4,)), shared, layers.LayerNormalization()])
    x = keras.Input((4,))
    model = keras.Model(x, {"a": inner(shared(x)), "b": layers.Dense(4)(inner(x))})
    model.compile("rmsprop", {"a": "mse", "b": "mae"}, metrics={"a": ["mae", "mse"], "b": "mae"})
    return model


def recurrent():
    model = keras.Sequential(
        [
            keras.Input((2, 2), batch_size=4),
            layers.LSTM(3, stateful=True, dropout=0.5, return_sequences=True),
            layers.GRU(4, stateful=True),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, use_ema=True, gradient_accumulation_steps=2), "mse")
    return model


def half():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(4, dtype="mixed_float16")])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), "mse")
    return model


def twins():
    """Layers of one name in one model, which a class of its own allows."""

    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.other = (layers.Dense(4, name="same") for _ in range(2))

        def call(self, x):
            return self.other(self.one(x))

    model = Twins()
    model.compile("adam", "mse")
    return model


def pair():
    model = Pair()
    model.compile()
    return model


MODELS = {each.__name__: each for each in (own, nested, recurrent, half, twins, pair)}
X = np.ones((4, 4), "float32")


def built(make):
    model = make()
    x = X.reshape(4, 2, 2) if make is recurrent else X
    y = {"a": X, "b": X} if make is nested else X
    return model, program_for(model, "train", ArraySource((x, y), 4))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_paths(make):
    model, program = built(make)
    paths = variables_by_path(model)
    expected = {*map(id, program.changing), id(global_generator().state)}
    assert set(map(id, paths.values())) == expected and len(paths) == len(expected)
    assert not [path for path in paths if path.startswith("others/")]
    again = variables_by_path(built(make)[0])
    assert list(again) == list(paths)
    shapes = [tuple(v.shape) for v in paths.values()]
    assert [tuple(v.shape) for v in again.values()] == shapes


def test_paths_say_what_they_lead_to():
    paths = variables_by_path(built(own)[0])
    assert {
        "blocks/dense/vars/kernel",
        "by_name/dense/vars/bias",
        "vars/scale",
        "optimizer/vars/iteration",
        "optimizer/slots/blocks/dense/vars/kernel/velocity",
        "metrics/compile_metrics/auc/vars/true_positives",
        "global_seed",
    } <= set(paths)
