"""Configurations there and back: written here, read and written again by Keras, and read here."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import keras as peer
import pytest

from hornbeam import keras
from tests.contract import test_initializers, test_layers, test_losses, test_metrics
from tests.contract import test_optimizers as optimizers
from tests.contract.layer_cases import twice
from tests.parity.layer_parity import plain

peer.saving.register_keras_serializable("contract")(twice)

Make = Callable[[], Any]


def rows() -> dict[str, Make]:
    """Return the name of every class and how to make an object of it."""
    made: dict[str, Make] = {}

    def add(kind: str, make: Callable[[str], Any], names: Any) -> None:
        made.update({f"{kind}.{name}": lambda name=name: make(name) for name in names})

    add("layers", test_layers.make, test_layers.CALLED)
    add("losses", lambda name: test_losses.make(name)[0], test_losses.CLASSES)
    add("metrics", lambda name: test_metrics.make(name)[0], test_metrics.CLASSES)
    add("optimizers", lambda name: optimizers.make(name, clipnorm=0.5), optimizers.OPTIMIZERS)
    add("schedules", schedule, optimizers.SCHEDULES)
    for module, name, kwargs in test_initializers.TABLE:
        kind = module.__name__.rpartition(".")[2]
        made[f"{kind}.{name}"] = lambda module=module, name=name, kwargs=kwargs: getattr(
            module, name
        )(**kwargs)
    return made | OTHERS


def schedule(name: str) -> Any:
    return getattr(optimizers.schedules, name)(*optimizers.SCHEDULES[name])


def functional() -> Any:
    """Return a model with two inputs, a shared layer, a model inside, and ops."""
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    shared = layers.Dense(3, activation="relu", name="shared")
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="inside")], name="inner")
    joined = keras.ops.concatenate([inner(shared(x)), shared(y) * 2.0 - 1.0], axis=-1)
    return keras.Model({"x": x, "y": y}, [joined, keras.ops.mean(joined, axis=1)], name="outer")


layers = keras.layers
# What the contract tests make in a way of their own, and objects that hold others.
OTHERS: dict[str, Make] = {
    "layers.InputLayer": lambda: layers.InputLayer(batch_shape=(None, 3), dtype="int32"),
    "layers.SimpleRNNCell": lambda: layers.SimpleRNNCell(3, dropout=0.1, seed=1),
    "layers.GRUCell": lambda: layers.GRUCell(3, reset_after=False),
    "layers.LSTMCell": lambda: layers.LSTMCell(3, unit_forget_bias=False),
    "layers.StackedRNNCells": lambda: layers.StackedRNNCells(
        [layers.LSTMCell(3), layers.GRUCell(2)]
    ),
    "layers.Wrapper": lambda: layers.Wrapper(layers.Dense(3)),
    "models.Sequential": lambda: keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="a"), layers.Dropout(0.1, seed=1, name="b")]
    ),
    "optimizers.LossScaleOptimizer": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01), initial_scale=8.0
    ),
    "an optimizer with a schedule": lambda: keras.optimizers.SGD(schedule("CosineDecay")),
    **{
        f"dtype_policies.{name}": lambda name=name: keras.DTypePolicy(name)
        for name in ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
    },
}
ROWS = rows()


# Arguments that Keras takes and does not write.
DROPPED = {
    "losses.CosineSimilarity": "axis",
    "losses.Huber": "delta",
    "metrics.CosineSimilarity": "axis",
    "initializers.Identity": "gain",
}
BASES = {
    *("Constraint", "Initializer", "Layer", "LearningRateSchedule", "Loss", "Metric"),
    *("Optimizer", "Regularizer"),
    *("InputSpec", "Reduction"),  # have no configuration
    *(
        "MultiOptimizer",
        "OptimizerMap",
    ),  # exchanged in tests/keras/optimizers/test_multi_optimizer.py
}


def there_and_back(made: Any) -> tuple[Any, Any, Any]:
    """Return the configuration of `made`, and what came back from Keras with its configuration."""
    config = plain(keras.saving.serialize_keras_object(made))
    there = peer.saving.deserialize_keras_object(copy.deepcopy(config))
    back = keras.saving.deserialize_keras_object(plain(peer.saving.serialize_keras_object(there)))
    return config, back, plain(keras.saving.serialize_keras_object(back))


@pytest.mark.parametrize("name", [name for name in ROWS if name not in DROPPED])
def test_the_same_comes_back(name: str) -> None:
    made = ROWS[name]()
    config, back, again = there_and_back(made)
    assert type(back) is type(made)
    assert again == config


@pytest.mark.parametrize("name", DROPPED)
def test_all_but_what_keras_drops_comes_back(name: str) -> None:
    """A row that needs no exception any more fails: take it off the list."""
    config, _, again = there_and_back(ROWS[name]())
    assert again != config
    del config["config"][DROPPED[name]]
    expected = keras.saving.deserialize_keras_object(config)
    assert again == plain(keras.saving.serialize_keras_object(expected))


def test_a_functional_model_comes_back() -> None:
    """Keras writes that the model inside was called with mask=None; all else is the same."""
    config, back, again = there_and_back(functional())
    assert isinstance(back, keras.Model)
    (inner,) = (each for each in again["config"]["layers"] if each["name"] == "inner")
    assert inner["inbound_nodes"][0]["kwargs"].pop("mask") is None
    assert again == config


def test_every_exported_class_has_a_row() -> None:
    kinds = {name.partition(".")[0] for name in ROWS if "." in name} - {"models"}
    modules = [getattr(keras, kind, None) or keras.optimizers.schedules for kind in kinds]
    exported = {getattr(module, name) for module in modules for name in module.__all__}
    missing = {cls for cls in exported if inspect.isclass(cls)} - {
        type(make()) for make in ROWS.values()
    }
    assert {cls.__name__ for cls in missing} == BASES
