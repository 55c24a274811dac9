"""How a model was compiled, as a configuration."""

import json

import pytest

from hornbeam import keras
from hornbeam.keras import layers


def model(**compiled):
    made = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    if compiled:
        made.compile(**compiled)
    return made


def through_json(obj):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(obj)))
    return keras.saving.deserialize_keras_object(config)


def test_a_model_comes_back_compiled():
    made = model(
        optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.5, 10), momentum=0.5
        ),
        loss={"dense": "mse"},
        metrics=["mae", keras.metrics.Precision(top_k=2)],
        steps_per_execution=4,
    )
    made.layers[-1].name = "dense"
    again = through_json(made)
    assert again.compiled and again.get_compile_config() == json.loads(
        json.dumps(made.get_compile_config())
    )
    assert again.optimizer.momentum == 0.5 and again.optimizer.built
    assert again.loss == {"dense": "mse"}
    assert again.compile_config.metrics[1].top_k == 2


def test_before_compile_there_is_nothing():
    assert model().get_compile_config() == {}
    assert not through_json(model()).compiled


def test_what_cannot_be_written_is_left_out_with_a_warning():
    made = model(loss=lambda y, p: y - p)
    with pytest.warns(UserWarning, match=r"was compiled is left out.*call compile\(\)"):
        again = through_json(made)
    assert not again.compiled


def test_a_compile_of_its_own():
    class Own(keras.Sequential):
        def compile(self, extra):
            super().compile("sgd", "mse")

    made = Own([keras.Input((3,)), layers.Dense(1)])
    with pytest.warns(UserWarning, match="Own has its own compile"):
        made.compile_from_config({"optimizer": "sgd"})
    assert not made.compiled
