"""JSON with limits, and configurations of models: trees with values of other types, sizes and depths in places of right ones."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from random import Random
from typing import Any

from hornbeam import keras
from hornbeam.keras.saving import safe_json
from tests.contract.layer_cases import CASES
from tests.fuzz.changes import as_json, changed, changed_json, changed_tree
from tests.fuzz.targets import Call, target
from tests.hostile.attack import good

_TEXTS = [
    b'{"a": [1, -2.5e3, true, null, "x\\u00e9\\ud83d\\ude00"], "b": {"c": [[], {}]}}',
    b"[1e400, -0, 0.1, 12345678901234567890, NaN, Infinity]",
    b"[" * 150 + b"]" * 150,
    b'"' + b"x" * 300 + b'"',
    b'{"a": 1, "a": 2}',
]


@target("place.json")
def json_text(draw: Random, folder: Path) -> Call:
    """Text; what is read is what Python's own reader finds."""
    data = draw.choice(_TEXTS)
    data = changed(data, draw) if draw.randrange(2) else changed_json(data, draw) if data in _TEXTS[:1] else data  # fmt: skip
    digits = draw.choice([b"", b"", b"9" * 399, b"9" * 401, b"1" * 5000])
    data = data.replace(b"1", b"1" + digits) if digits else data

    def read() -> None:
        found = safe_json.parse(data, "place.json", 100_000)
        assert repr(found) == repr(json.loads(data)), "another value"

    return read


def _seed(draw: Random) -> dict[str, Any]:
    """Return the configuration of a whole model: of a layer alone, or of one of many kinds."""
    return draw.choice(_models()) if draw.randrange(3) == 2 else _alone(draw.choice([*CASES]))


def _config(model: Any) -> dict[str, Any]:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(model)))


@functools.cache
def _alone(name: str) -> dict[str, Any]:
    """Return the configuration of a model of one layer; shapes and calls as the contract tests have them."""
    case = CASES[name]
    arguments = case.arguments() if callable(case.arguments) else case.arguments
    shapes = case.shape if isinstance(case.shape, list) else [case.shape]
    inputs = [keras.Input(shape[1:]) for shape in shapes]
    layer = getattr(keras.layers, name)(**arguments)
    outputs = (
        layer(*inputs)
        if case.apart
        else layer(inputs if isinstance(case.shape, list) else inputs[0])
    )
    return _config(keras.Model(inputs, outputs))


@functools.cache
def _models() -> list[Any]:
    layers = keras.layers
    plain = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.1), layers.Dense(2)])  # fmt: skip
    plain.compile(keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), keras.losses.Huber(0.5), metrics=["mae", keras.metrics.MeanSquaredError()])  # fmt: skip
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4)], name="inner")
    joined = layers.Concatenate()([inner(one), inner(two) * 2.0])
    made = keras.Model({"one": one, "two": two}, [layers.Dense(2, name="a")(joined), keras.ops.sum(joined, axis=-1)])  # fmt: skip
    made.compile("sgd", ["mse", None], loss_weights=[1.0, 0.5])
    lookup = keras.Sequential([keras.Input((3,)), layers.Embedding(5, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3)), layers.Dense(1)])  # fmt: skip
    return [_config(each) for each in (plain, made, lookup)]


@target("folder", smoke=5)
def config(draw: Random, folder: Path) -> Call:
    """A folder of a model whose configuration is changed; the weights seldom fit."""
    seed = _seed(draw)
    place = folder / "folder"
    place.mkdir()
    (place / "config.json").write_bytes(as_json(changed_tree(seed, draw)))
    (place / "metadata.json").write_bytes(good()["metadata.json"])
    (place / "model.weights.h5").write_bytes(good()["model.weights.h5"])
    return lambda: keras.saving.load_model(place)


@target("", smoke=5)
def model_from_json(draw: Random, folder: Path) -> Call:
    """The same as text, all of whose layers are made."""
    text = as_json(changed_tree(_seed(draw), draw)).decode()
    return lambda: keras.models.model_from_json(text)
