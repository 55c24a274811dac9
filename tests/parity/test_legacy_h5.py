"""Whole models in `.h5` files, exchanged with Keras both ways.

Everything exported is in a few models together, as in `test_archive`. Keras 3.15.1 can't read all that it writes here: the
module of ops, the loss "mse"; and it builds the optimizer of a loaded model for no variables. What it writes is read here,
and what is written here is read by it.
"""

from __future__ import annotations

from typing import Any

import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.registry import tables
from tests.contract import test_losses, test_metrics
from tests.contract import test_optimizers as optimizers
from tests.parity.layer_parity import plain
from tests.parity.test_archive import (
    assert_same_arrays,
    every_layer,
    every_op,
    kept,
    many_outputs,
    small,
)
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)


def to_keras(model: Any, tmp_path: Any) -> Any:
    model.save(tmp_path / "ours.h5")
    return peer.models.load_model(tmp_path / "ours.h5")


def from_keras(model: Any, tmp_path: Any) -> Any:
    model.save(tmp_path / "theirs.h5")
    return keras.models.load_model(tmp_path / "theirs.h5")


def test_every_layer(tmp_path: Any) -> None:
    model = every_layer()
    for weight in model.weights:
        weight.assign(RNG.normal(size=weight.shape))
    there = to_keras(model, tmp_path)
    for layer in model.layers:
        assert_same_arrays(layer.weights, there.get_layer(layer.name).weights)
    back = from_keras(there, tmp_path)
    assert_same_arrays(back.weights, model.weights)
    assert [type(each) for each in back.layers] == [type(each) for each in model.layers]


def test_every_op(tmp_path: Any) -> None:
    model = every_op()
    back = from_keras(to_keras(model, tmp_path), tmp_path)
    made, again = (plain(keras.saving.serialize_keras_object(each)) for each in (model, back))
    assert again["config"] == made["config"]


def compiled(metrics: list[str]) -> Any:
    """Return a model compiled with every loss that Keras can read back, and with these metrics."""
    names = kept("losses", test_losses.CLASSES)
    names.remove("CategoricalGeneralizedCrossEntropy")  # Keras does not know it by its name
    losses = [test_losses.make(name)[0] for name in names]
    made = [[test_metrics.make(name)[0]] for name in metrics]
    count = max(len(losses), len(made))
    losses += ["mean_squared_error"] * (count - len(losses))
    made += [["mae"]] * (count - len(made))
    model = many_outputs(keras, count)
    model.compile("sgd", losses, [0.5] * count, made)
    return model


def test_every_loss_and_metric(tmp_path: Any) -> None:
    """Keras can't write an AUC with weights of the labels."""
    metrics = kept("metrics", test_metrics.CLASSES)
    assert to_keras(compiled(metrics), tmp_path).compiled
    model = compiled([name for name in metrics if name != "AUC"])
    back = from_keras(to_keras(model, tmp_path), tmp_path)
    made, again = (plain(each.get_compile_config()) for each in (model, back))
    for name in ("loss", "metrics", "loss_weights"):
        assert again[name] == made[name]


def with_optimizer(name: str) -> Any:
    """Return a model of Keras whose optimizer has state."""
    model = small(peer)
    cls = getattr(peer.optimizers, name)
    rate = peer.optimizers.Adam(0.5) if name == "LossScaleOptimizer" else 0.5
    model.compile(cls(rate), peer.losses.MeanSquaredError())
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables:
        variable.assign(RNG.uniform(1, 9, variable.shape))
    return model


# Keras fails to write the state of Adafactor: its variables share names.
WRITTEN = [name for name in optimizers.OPTIMIZERS if name != "Adafactor"]


@pytest.mark.parametrize("name", [*WRITTEN, "LossScaleOptimizer"])
def test_every_optimizer(name: str, tmp_path: Any) -> None:
    """Settings and state as Keras writes them."""
    model = with_optimizer(name)
    back = from_keras(model, tmp_path)
    assert type(back.optimizer).__name__ == name
    assert_same_arrays(back.optimizer.variables, model.optimizer.variables)


# Keras does not find Lamb by the name that it has in these files.
@pytest.mark.parametrize("name", [name for name in optimizers.OPTIMIZERS if name != "Lamb"])
def test_every_optimizer_to_keras(name: str, tmp_path: Any) -> None:
    model = small(keras)
    model.compile(optimizers.make(name, clipnorm=0.5), "mse")
    there = to_keras(model, tmp_path)
    assert plain(there.optimizer.get_config()) == plain(model.optimizer.get_config())


def test_every_name_of_a_loss_or_metric(tmp_path: Any) -> None:
    """What Keras writes for `loss="mse"` it can't read; what is written here it can."""
    names = sorted(
        {each for each in dir(peer.losses) if each in tables.tables_of("keras.losses")[0].names()}
    )
    model = many_outputs(peer, len(names))
    model.compile("sgd", names, metrics=[["mse"]] * len(names))
    back = from_keras(model, tmp_path)
    assert len(names) > 20
    assert back.get_compile_config()["loss"] == names
    assert to_keras(back, tmp_path).compiled


def test_a_step_more(tmp_path: Any) -> None:
    """A model of Keras trains on here with its optimizer's state, and one of ours predicts there."""
    x = RNG.normal(size=(4, 4)).astype("float32")
    model = small(peer)
    model.compile(peer.optimizers.Adam(0.1), "mse", metrics=["mae"])
    model.train_on_batch(x, x[:, :2])
    back = from_keras(model, tmp_path)
    for each in (model, back):
        each.train_on_batch(x, x[:, :2])
    assert_close(back.predict(x, verbose=0), model.predict(x, verbose=0))
    assert_close(to_keras(back, tmp_path).predict(x, verbose=0), model.predict(x, verbose=0))
