"""Initializers, regularizers and constraints against Keras's. Random numbers differ; configs, names and spreads do not."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

from hornbeam import keras as hornbeam
from tests.tolerances import assert_close

# Names of Keras that are not here yet.
MISSING: set[str] = set()
# What Keras does not write.
FORGOTTEN = {"Identity": {"gain": 1.0}}
KINDS = ("initializers", "regularizers", "constraints")

CERTAIN: list[tuple[str, dict[str, Any]]] = [
    ("Zeros", {}),
    ("Ones", {}),
    ("Constant", {}),
    ("Constant", {"value": [[1.0, 2.0, 3.0, 4.0]]}),
    ("Identity", {}),
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 2.0, "seed": 3}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": 1, "maxval": 3}),
    ("TruncatedNormal", {"stddev": 2.0}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"distribution": "normal", "seed": 3}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("GlorotUniform", {"seed": 3}),
    ("GlorotNormal", {}),
    ("HeUniform", {"input_axes": (0,), "output_axes": (1,)}),
    ("HeNormal", {}),
    ("LecunUniform", {}),
    ("LecunNormal", {}),
    ("Orthogonal", {"gain": 2.0}),
]
PENALTIES: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L2", {"l2": 0.5}),
    ("L1L2", {"l1": 0.5, "l2": 0.25}),
    ("OrthogonalRegularizer", {"factor": 0.5}),
]
CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.3, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
]


@pytest.mark.parametrize("kind", KINDS)
def test_public_names(kind: str):
    def names(library: Any) -> set[str]:
        return {name for name in dir(getattr(library, kind)) if not name.startswith("_")}

    mine = set(getattr(hornbeam, kind).__all__)
    assert mine == names(keras) - MISSING
    for name in mine:
        ours, theirs = getattr(getattr(hornbeam, kind), name), getattr(getattr(keras, kind), name)
        assert getattr(ours, "__name__", None) == getattr(theirs, "__name__", None), name


def classes_with_a_signature() -> list[tuple[Any, Any]]:
    """Return each class of ours beside Keras's, where that has a constructor of its own."""
    pairs = [
        (getattr(getattr(hornbeam, kind), name), getattr(getattr(keras, kind), name))
        for kind in KINDS
        for name in getattr(hornbeam, kind).__all__
    ]
    return [(a, b) for a, b in pairs if inspect.isclass(a) and "__init__" in vars(b)]


@pytest.mark.parametrize(
    ("mine", "peer"),
    [pytest.param(*pair, id=pair[0].__name__) for pair in classes_with_a_signature()],
)
def test_signatures(mine: Any, peer: Any):
    described = [
        [(each.name, each.default) for each in inspect.signature(cls).parameters.values()]
        for cls in (mine, peer)
    ]
    assert described[0] == described[1]


def both(name: str, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return our initializer and Keras's, which are written alike."""
    mine = getattr(hornbeam.initializers, name)(**kwargs)
    peer = getattr(keras.initializers, name)(**kwargs)
    expected = keras.initializers.serialize(peer)
    expected["config"] |= FORGOTTEN.get(name, {})
    assert hornbeam.initializers.serialize(mine) == expected
    return mine, peer


@pytest.mark.parametrize(("name", "kwargs"), CERTAIN, ids=str)
def test_values(name: str, kwargs: dict[str, Any]):
    mine, peer = both(name, kwargs)
    values, others = mine((3, 4)).numpy(), np.asarray(peer((3, 4)))
    assert values.dtype == others.dtype
    assert_close(values, others)


@pytest.mark.parametrize(("name", "kwargs"), RANDOM, ids=str)
def test_spreads(name: str, kwargs: dict[str, Any]):
    mine, peer = both(name, kwargs)
    values, others = mine((120, 4)).numpy(), np.asarray(peer((120, 4)))
    assert (values.shape, values.dtype) == (others.shape, others.dtype)
    # The spread is estimated from 480 numbers each: four standard errors.
    assert abs(np.std(values) / np.std(others) - 1) < 4 * 2 / np.sqrt(480)
    assert abs(np.mean(values) - np.mean(others)) < 4 * 2 * np.std(others) / np.sqrt(480)


@pytest.mark.parametrize(
    "name", ["zero", "one", "normal", "uniform", "IdentityInitializer", "he_normal", "Orthogonal"]
)
def test_strings(name: str):
    mine, peer = hornbeam.initializers.get(name), keras.initializers.get(name)
    assert type(mine).__name__ == type(peer).__name__


@pytest.mark.parametrize(("name", "kwargs"), PENALTIES, ids=str)
def test_regularizers(name: str, kwargs: dict[str, Any]):
    mine = getattr(hornbeam.regularizers, name)(**kwargs)
    peer = getattr(keras.regularizers, name)(**kwargs)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    assert_close(np.asarray(mine(x)), np.asarray(peer(x)))
    assert_close(mine.get_config(), peer.get_config())  # Keras keeps the factor as float32


@pytest.mark.parametrize(("name", "kwargs"), CONSTRAINTS, ids=str)
def test_constraints(name: str, kwargs: dict[str, Any]):
    mine = getattr(hornbeam.constraints, name)(**kwargs)
    peer = getattr(keras.constraints, name)(**kwargs)
    w = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    assert_close(np.asarray(mine(w)), np.asarray(peer(w)))
    assert hornbeam.constraints.serialize(mine) == keras.constraints.serialize(peer)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"side": "imag", "scaling": "spectrum"},
        {"window": None},
        {"window": "hamming", "periodic": True, "scaling": None},
    ],
)
def test_waves(arguments):
    mine, other = hornbeam.initializers.STFT(**arguments), keras.initializers.STFT(**arguments)
    assert_close(mine((8, 1, 5)), np.asarray(other((8, 1, 5))))
    assert mine.get_config() == other.get_config()
