"""Several optimizers, each for its own variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras as theirs
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import optimizers
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")


def choice(k: Any) -> Any:
    found = k.optimizers.OptimizerMap(k.optimizers.SGD(0.1, momentum=0.5, name="rest"))
    found[".*hidden/.*"] = k.optimizers.Adam(0.01, name="hidden")
    return found


def by_function(k: Any) -> Any:
    adam, sgd = k.optimizers.Adam(0.01, name="hidden"), k.optimizers.SGD(0.1, name="rest")
    return lambda variable: adam if "hidden" in variable.path else sgd


def model(k: Any, optimizer: Any) -> Any:
    hidden = k.layers.Dense(3, activation="tanh", name="hidden")
    made = k.Sequential([k.Input((4,)), hidden, k.layers.Dense(2, name="head")], name="both")
    for i, each in enumerate(made.weights):
        each.assign(np.random.default_rng(i).normal(size=each.shape))
    made.compile(optimizer, "mse")
    return made


@pytest.mark.parametrize("chosen", [choice, by_function])
def test_training_is_that_of_keras(chosen):
    pair = [
        model(k, k.optimizers.MultiOptimizer(chosen(k), name="all")) for k in (keras, theirs)
    ]  # fmt: skip
    for each in pair:
        each.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    mine, peer = pair
    for one, other in zip(mine.get_weights(), peer.get_weights(), strict=True):
        assert_close(one, other)
    assert [v.path for v in mine.optimizer.variables] == [v.path for v in peer.optimizer.variables]
    for one, other in zip(mine.optimizer.variables, peer.optimizer.variables, strict=True):
        assert_close(one.numpy().astype("float32"), np.float32(other.value))


def test_config_goes_to_keras_and_back():
    mine = optimizers.MultiOptimizer(choice(keras), loss_scale_factor=2.0, name="all")
    peer = theirs.optimizers.MultiOptimizer(choice(theirs), loss_scale_factor=2.0, name="all")
    assert mine.get_config() == peer.get_config()
    config = json.loads(json.dumps(optimizers.serialize(mine)))
    assert config == theirs.optimizers.serialize(peer)
    again = optimizers.deserialize(config)
    assert again.get_config() == mine.get_config()
    assert theirs.optimizers.deserialize(config).get_config() == peer.get_config()
    assert again.optimizers[0].loss_scale_factor == 2.0


def test_saved_by_one_library_and_loaded_by_the_other(tmp_path: Path):
    peer = model(theirs, theirs.optimizers.MultiOptimizer(choice(theirs), name="all"))
    peer.fit(X, Y, batch_size=3, shuffle=False, verbose=0)
    peer.save(tmp_path / "one.keras")
    mine = keras.models.load_model(tmp_path / "one.keras")
    mine.save(tmp_path / "two.keras")
    back = theirs.models.load_model(tmp_path / "two.keras")
    for each in (peer, mine, back):
        each.fit(X, Y, batch_size=3, shuffle=False, verbose=0)
    for one, two, three in zip(*(each.get_weights() for each in (peer, mine, back)), strict=True):
        assert_close(two, one)
        assert_close(three, one)


def test_by_hand_and_in_a_function():
    weights = [tf.Variable([1.0], name=name) for name in ("hidden", "rest")]
    chosen = optimizers.OptimizerMap(optimizers.SGD(0.5), {"hidden": optimizers.SGD(0.1)})
    optimizer = optimizers.MultiOptimizer(chosen)
    optimizer.apply_gradients(zip([tf.ones(1), tf.ones(1)], weights, strict=True))
    tf.function(lambda: optimizer.apply([tf.ones(1), tf.ones(1)], weights))()
    assert_close(np.concatenate([each.numpy() for each in weights]), np.float32([0.8, 0.0]))
    assert int(optimizer.iterations) == int(optimizer.optimizers[0].iterations) == 2


def test_averages_are_those_of_the_optimizers():
    averaged = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    optimizer = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(averaged, {"plain": optimizers.SGD(1.0)})
    )
    weights = [keras.Variable([1.0], name=name) for name in ("plain", "averaged")]
    optimizer.apply([np.ones(1, "float32")] * 2, weights)
    assert [variable.name for variable, _ in optimizer.average_pairs()] == ["averaged"]
    optimizer.finalize_variable_values(weights)
    assert_close(weights[1].numpy(), averaged.average_pairs()[0][1].numpy())


def test_maps():
    rest = optimizers.SGD()
    found = optimizers.OptimizerMap(rest, {"a/.*": optimizers.Adam()})
    assert found["b"] is rest and type(found["a/b"]) is optimizers.Adam
    assert list(found) == ["a/.*"] and len(found) == 1
    found["a/b"] = optimizers.Lion()
    assert type(found["a/b"]) is optimizers.Lion
    found[".*/c"] = rest
    with pytest.raises(ValueError, match="Several patterns match the path 'a/c'"):
        found["a/c"]
    del found[".*/c"]
    assert type(found["a/c"]) is optimizers.Adam


def chosen_as(optimizer: Any) -> optimizers.MultiOptimizer:
    return optimizers.MultiOptimizer(lambda variable: optimizer)


WRONG = [
    (lambda: optimizers.OptimizerMap("sgd"), TypeError, "`default_optimizer` must be an optimizer"),
    (lambda: optimizers.OptimizerMap(optimizers.SGD(), [1]), TypeError, "must be a dict"),
    (lambda: choice(keras).__setitem__(".*hidden/.*", optimizers.SGD()), ValueError, "already"),
    (lambda: choice(keras).__setitem__(1, optimizers.SGD()), ValueError, "the path of a variable"),
    (lambda: choice(keras).__setitem__("x", "sgd"), ValueError, "'x' needs an optimizer"),
    (lambda: chosen_as("sgd").build([keras.Variable(1.0)]), ValueError, "needs an optimizer"),
    (
        lambda: chosen_as(chosen_as(optimizers.SGD())).build([keras.Variable(1.0)]),
        ValueError,
        "can't be used inside a MultiOptimizer",
    ),
    (lambda: chosen_as(optimizers.SGD()).learning_rate, AttributeError, "no learning rate"),
    (
        lambda: setattr(chosen_as(optimizers.SGD()), "learning_rate", 1.0),
        AttributeError,
        "set those of its `optimizers`",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), WRONG)
def test_what_is_refused(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
