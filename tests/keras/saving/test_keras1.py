"""Configurations of Keras 1."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.saving.keras2 import keras1
from tests.keras.saving.test_keras2 import Config, layer, made, sequential
from tests.tolerances import assert_close

COMMON = {
    "W_constraint": None,
    "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01},
    "activity_regularizer": None,
    "b_constraint": None,
    "b_regularizer": None,
    "bias": True,
    "init": "uniform",
}
CONV = {**COMMON, "nb_filter": 2, "nb_row": 3, "nb_col": 1, "subsample": [1, 1], "border_mode": "same", "dim_ordering": "tf"}  # fmt: skip
DENSE = {**COMMON, "output_dim": 3, "input_dim": None, "W_constraint": {"name": "MaxNorm", "m": 3, "axis": 0}}  # fmt: skip


def old(class_name: str, name: str = "a", **config: Any) -> Config:
    """Return the configuration of a layer, which had no type then."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


STACK = sequential(
    old("Convolution2D", batch_input_shape=[None, 5, 4, 1], activation="linear", **CONV),
    old("BatchNormalization", "b", mode=0, axis=-1, epsilon=1e-5, momentum=0.99, gamma_init="one", beta_init="zero"),
    old("MaxPooling2D", "c", pool_size=[5, 4], strides=[5, 4], border_mode="valid", dim_ordering="tf"),
    old("Flatten", "d"),
    old("Dropout", "e", p=0.25),
    old("Dense", "f", activation="tanh", **DENSE),
)  # fmt: skip
STACK["config"] = STACK["config"]["layers"]


def test_a_picture_model(tmp_path: Path) -> None:
    """As in a file: the weights have the names of Keras 1, and Theano's colon is missing."""
    path = tmp_path / "m.h5"
    rng = np.random.default_rng(0)
    shapes = {"a": {"W": (3, 1, 1, 2), "b": (2,)}, "b": dict.fromkeys(("gamma", "beta", "running_mean", "running_std"), (2,)), "f": {"W": (2, 3), "b": (3,)}}  # fmt: skip
    weights = {k: {n: rng.random(s, "float32") for n, s in v.items()} for k, v in shapes.items()}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(STACK)
        file.attrs["keras_version"] = "1.2.2"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [each.encode() for each in "abcdef"]
        for name in "abcdef":
            inner = group.create_group(name)
            inner.attrs["weight_names"] = [f"{name}_{n}".encode() for n in weights.get(name, ())]
            for each, array in weights.get(name, {}).items():
                inner[f"{name}_{each}"] = array
    with pytest.warns(UserWarning, match="written by Keras 1"):
        model = keras.models.load_model(path)
    x = rng.random((2, 5, 4, 1), "float32")
    padded, conv = np.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0)]), weights["a"]
    y = sum(padded[:, i : i + 5] @ conv["W"][i, 0] for i in range(3)) + conv["b"]
    gamma, beta, mean, variance = weights["b"].values()
    y = ((y - mean) / np.sqrt(variance + 1e-5) * gamma + beta).max((1, 2))
    assert_close(model(x), np.tanh(y @ weights["f"]["W"] + weights["f"]["b"]))
    dense = model.layers[-1]
    assert dense.kernel_regularizer.get_config()["l2"] == 0.01
    assert dense.kernel_constraint.max_value == 3
    assert model.layers[4].rate == 0.25


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("sum", [[4.0, 6]]), ("mul", [[3.0, 8]]), ("ave", [[2.0, 3]]), ("max", [[3.0, 4]]), ("concat", [[1.0, 2, 3, 4]])],
)  # fmt: skip
def test_merge(mode: str, expected: Any) -> None:
    given = {"batch_input_shape": [None, 2], "input_dtype": "float32", "sparse": False}
    inputs = [
        {"class_name": "InputLayer", "name": n, "config": {"name": n, **given}, "inbound_nodes": []}
        for n in "xy"
    ]
    merge = old("Merge", "m", layers=[], mode=mode, mode_type="raw", concat_axis=-1, dot_axes=-1)
    entries = [*inputs, {**merge, "name": "m", "inbound_nodes": [[["x", 0, 0], ["y", 0, 0]]]}]
    config = {"name": "g", "layers": entries, "input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["m", 0, 0]]}  # fmt: skip
    with pytest.warns(UserWarning, match="written by Keras 1"):
        model = made({"class_name": "Model", "config": config})
    assert_close(model([np.array([[1.0, 2]]), np.array([[3.0, 4]])]), expected)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (old("Convolution2D", **{**CONV, "dim_ordering": "th"}), "Convolution2D with dim_ordering='th'"),
        (old("BatchNormalization", mode=2), "BatchNormalization with mode=2"),
        (old("Embedding", input_dim=3, output_dim=2, init="uniform", dropout=0.5), "Embedding with dropout=0.5"),
        (old("LSTM", output_dim=2, init="uniform", inner_init="orthogonal"), "LSTM whose weights are kept in another form"),
        (old("Merge", layers=[], mode="cos", mode_type="raw"), "Merge with mode='cos'"),
        (old("Dense", **{**DENSE, "W_regularizer": {"name": "EigenvalueRegularizer", "k": 1}, "W_constraint": {"name": "Mine"}}), "which is not known here"),
    ],
)  # fmt: skip
def test_what_is_no_renaming_is_refused(config: Config, told: str) -> None:
    with pytest.raises(ValueError, match=f"Keras 1 wrote this model: it has a layer 'a' of the class .*{told}"):  # fmt: skip
        made(sequential(config))


def test_layers_of_keras_2_are_left_alone() -> None:
    configs = [
        layer("Embedding", input_dim=3, output_dim=2, input_length=4),
        layer("Dense", units=1),
        layer("UpSampling1D", size=2),
        layer("LSTM", units=2),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(keras1.translated(each) == each for each in configs)
