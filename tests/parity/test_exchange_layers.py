"""Every exported layer in a file that goes from one library to the other, and one more step of training in both.

The layers stand side by side in one model, each with an output, a loss and trainable weights of its own, so that what differs
has the name of its layer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.contract import test_layers
from tests.contract.layer_cases import CASES, twice
from tests.parity.exchange import (
    WAYS,
    assert_same_predictions,
    assert_same_states,
    assert_same_step,
    exchange_weights,
    exchanged,
    seed_of,
    sides,
    values,
    zeros_in_keras,
)

peer.saving.register_keras_serializable("contract")(twice)

# Keras says that it can't share memory of the type that it asks for itself.
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype:UserWarning")

# Layers that draw in training, and the argument that says how much. The libraries draw different numbers from equal seeds.
RANDOM = {
    **dict.fromkeys(("AlphaDropout", "Dropout", "GaussianDropout"), "rate"),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), "rate"),
    "GaussianNoise": "stddev",
}
# What is compared in each run: layers with state, with randomness, with others inside. All are compared in long runs.
FEW = [
    *RANDOM,
    *("BatchNormalization", "Bidirectional", "Dense", "Embedding", "LSTM", "MultiHeadAttention"),
    *("PReLU", "TimeDistributed"),
]
DRAWN = [name.lower() for name in RANDOM]
# Where the contract's configuration is one that Keras can't run.
INSTEAD: dict[str, dict[str, Any]] = {
    # Without scores, Keras gives JAX's attention values of another size than that of keys, which JAX refuses.
    "MultiHeadAttention": {"value_dim": None},
}


def off(name: str) -> str:
    """Return the name of a random layer's branch without its randomness."""
    return f"{name.lower()}_off"


def cells() -> dict[str, Any]:
    """Return each cell, and cells on top of each other."""
    return {
        "rnn_of_lstm": keras.layers.LSTMCell(3, unit_forget_bias=False),
        "rnn_of_gru": keras.layers.GRUCell(3, reset_after=False),
        "rnn_of_simple": keras.layers.SimpleRNNCell(3),
        "rnn_of_cells": keras.layers.StackedRNNCells(
            [keras.layers.LSTMCell(3), keras.layers.GRUCell(2)]
        ),
    }


def branches(names: list[str]) -> list[tuple[Any, str]]:
    """Return layers, and the class whose data each is called on."""
    of_classes = [
        (test_layers.make(name, name=name.lower(), **INSTEAD.get(name, {})), name) for name in names
    ]
    without = [
        (test_layers.make(name, name=off(name), **{amount: 0.0}), name)
        for name, amount in RANDOM.items()
    ]
    of_cells = [(keras.layers.RNN(cell, name=name), "RNN") for name, cell in cells().items()]
    return of_classes + without + of_cells


def side_by_side(names: list[str]) -> tuple[Any, list[np.ndarray], list[np.ndarray]]:
    """Return a model with a branch for each layer, its inputs, and targets for its outputs.

    A Dense before each layer trains through it; only layers that take integers have none.
    """
    inputs, outputs, data = [], [], []
    for layer, name in branches(names):
        arrays, structure = jax.tree.flatten(test_layers.data(name))
        arrays = [x if CASES[name].highest is None else x.astype("int32") for x in arrays]
        symbols = [keras.Input(x.shape[1:], dtype=x.dtype) for x in arrays]
        inputs, data = inputs + symbols, data + arrays
        if CASES[name].highest is None:
            symbols = [
                keras.layers.Dense(x.shape[-1], name=f"before_{layer.name}_{i}")(x)
                for i, x in enumerate(symbols)
            ]
        given = test_layers.given(name, jax.tree.unflatten(structure, symbols))
        outputs.append(layer(*given))
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(0)
    shapes = [(len(data[0]), *output.shape[1:]) for output in outputs]
    return model, data, [rng.normal(size=shape).astype("float32") for shape in shapes]


def compile(k: Any, model: Any) -> None:
    """Prepare training: a loss for each layer, slots for each weight. Branches that draw train nothing."""
    losses = ["mse"] * len(model.output_names)
    weights = [0.0 if name in DRAWN else 1.0 for name in model.output_names]
    model.compile(k.optimizers.SGD(0.1, momentum=0.9), losses, weights)


@pytest.mark.parametrize(
    ("names", "way"),
    [
        pytest.param(FEW, "from Keras", id="few from Keras"),
        *(
            pytest.param(test_layers.CALLED, way, id=f"all {way}", marks=pytest.mark.slow)
            for way in WAYS
        ),
    ],
)
def test_layers_train_on(names: list[str], way: str, tmp_path: Path) -> None:
    """Predictions are those of the writer; so are losses, weights and slots after one more step."""
    model, x, y = side_by_side(names)
    for weight in model.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape, scale=0.5))
    with zeros_in_keras():
        there = exchanged(model, "to Keras", tmp_path / "first.keras")
        assert_same_layers(there, model)
    written = there if way == "from Keras" else model
    compile(sides(way)[0], written)
    written.train_on_batch(x, y)
    with zeros_in_keras():
        read = exchanged(written, way, tmp_path / "m.keras")
    assert_same_states(read, written, exact=True)
    assert_same_predictions(read, written, x)
    assert_same_step(read, written, x, y, random=[f"{name}_loss" for name in DRAWN])
    # In files of Keras are no states of seeds, and it reads none: both libraries begin with the seed of the configuration.
    for name in DRAWN:
        assert (seed_of(written, name), seed_of(read, name)) == ([1, 2], [1, 1]), name
    exchange_weights(written, read, tmp_path / "m.weights.h5")
    assert_same_layers(written, read)
    if names is not FEW:
        check_legacy_file(written, way, tmp_path / "m.h5", x, y)


def check_legacy_file(written: Any, way: str, path: Path, x: Any, y: Any) -> None:
    """Exchange a model in the old format, without the optimizer, whose variables have equal names there; train it anew."""
    with zeros_in_keras():
        written.save(path, include_optimizer=False)
        read = sides(way)[1].models.load_model(path)
    assert_same_layers(written, read)
    for k, each in zip(sides(way), (written, read), strict=True):
        compile(k, each)
    assert_same_predictions(read, written, x)
    assert_same_step(read, written, x, y, random=[f"{name}_loss" for name in DRAWN])


def assert_same_layers(theirs: Any, ours: Any) -> None:
    """Compare classes and arrays layer by layer."""
    for one, other in zip(theirs.layers, ours.layers, strict=True):
        assert (type(one).__name__, one.name) == (type(other).__name__, other.name)
        for value, expected in zip(values(one.weights), values(other.weights), strict=True):
            np.testing.assert_array_equal(value, expected, err_msg=one.name)
