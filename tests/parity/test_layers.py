"""Layers against Keras's: same config, weights and inputs.

The table is the lists `ROWS` of the modules tests/parity/layer_rows_*.py: to cover a layer, add rows there.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import jax
import keras as theirs
import numpy as np
import pytest

from hornbeam import keras as ours
from tests.parity.layer_parity import Row, both_built, plain, run, with_mask
from tests.tolerances import assert_close

MODULES = sorted(path.stem for path in Path(__file__).parent.glob("layer_rows_*.py"))
ROWS: list[Row] = [
    row for name in MODULES for row in importlib.import_module(f"tests.parity.{name}").ROWS
]

# Keras's Variable has no `copy` argument in __array__, of which NumPy complains.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
rows = pytest.mark.parametrize("row", ROWS, ids=str)


@pytest.fixture(autouse=True)
def _quick_random_initializers(monkeypatch):
    """Keras's compile for a second per weight, and every weight is set afterwards anyway."""

    def draw(self, shape, dtype=None, **kwargs):
        return np.random.default_rng(0).normal(size=shape).astype("float32")

    initializers = theirs.initializers
    for each in (initializers.VarianceScaling, initializers.Orthogonal, initializers.RandomUniform):
        monkeypatch.setattr(each, "__call__", draw)


@rows
def test_outputs_and_gradients(row: Row):
    actual, expected = run(both_built(row), row)
    for what in expected:
        assert_close(actual[what], expected[what], row.dtype, what)


@rows
def test_weights(row: Row):
    mine, peer = row.built(ours), row.built(theirs)

    def described(layer):
        trainable = {id(w) for w in layer.trainable_weights}
        return [
            (w.name, w.path, tuple(w.shape), w.dtype, id(w) in trainable) for w in layer.weights
        ]

    assert described(mine) == described(peer)
    pairs = [
        (weight.numpy(), np.asarray(other), weight.path)
        for weight, other in zip(mine.weights, peer.weights, strict=True)
    ]
    # Zeros and ones are compared; random values have their own tests.
    for actual, expected, path in [pair for pair in pairs if pair[1].size > 1]:
        same = actual if np.ptp(expected) else expected
        np.testing.assert_array_equal(actual, same, err_msg=path)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.vague], ids=str)
def test_symbolic_shapes_and_types(row: Row):
    def described(library):
        inputs, call = row.symbols(library)
        outputs = row.make(library)(*row.given(inputs), **call)
        leaves = jax.tree.leaves(outputs, is_leaf=lambda x: hasattr(x, "shape"))
        return [(tuple(x.shape), x.dtype) for x in leaves]

    assert described(ours) == described(theirs)


@rows
def test_config(row: Row):
    mine, config = row.make(ours), plain(row.make(theirs).get_config())
    assert plain(mine.get_config()) == config
    for source in (mine.get_config(), config):
        assert plain(type(mine).from_config(source).get_config()) == config


@pytest.mark.parametrize("row", [row for row in ROWS if row.mask is not None], ids=str)
def test_mask_of_the_outputs(row: Row):
    def mask_of(library):
        inputs = with_mask(library, row.mask)(row.arrays())
        outputs = row.make(library)(*row.given(inputs), **row.call)
        first = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        return getattr(first, "_keras_mask", None)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support mask", category=UserWarning)
        actual, expected = mask_of(ours), mask_of(theirs)
    np.testing.assert_array_equal(np.asarray(actual), np.asarray(expected), strict=True)
