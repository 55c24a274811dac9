"""Checkpoints exchanged with TensorFlow itself, which compares the checksums: run by `make test-peers`."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.train.bundle import TYPES
from tests.tolerances import assert_close
from tests.train import tensorflow_peer as peer
from tests.train.test_bundle import write

# Where the peers are installed, if not in this environment; see `make test-peers`.
PEERS_PATH = os.environ.get("HORNBEAM_PEERS_PATH", "")
X = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)


def values():
    """Return a tensor of every type that a bundle has."""
    numbers = np.arange(6).reshape(2, 3)
    found = {dtype.name: numbers.astype(dtype) for dtype in TYPES.values()}
    found |= {"scalar": np.array(7, "int32"), "empty": np.zeros((0, 3), "float32")}
    found |= {"large": np.random.default_rng(0).normal(size=200_001).astype("float32")}
    texts = np.array([b"a", b"", "é".encode() * 100], object)
    return found | {"text": b"hello", "texts": texts, "grid": texts.reshape(1, 3)}


def compiled():
    model = peer.model_of(keras)
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    """Write checkpoints, let TensorFlow read them and write its own; return the folder, our model and what it saw."""
    places = [Path(each, "tensorflow") for each in filter(None, PEERS_PATH.split(os.pathsep))]
    if importlib.util.find_spec("tensorflow") is None and not any(map(Path.is_dir, places)):
        pytest.skip("tensorflow is not installed; `make test-peers` brings it")
    folder = tmp_path_factory.mktemp("exchange")
    write(folder / "types", values())
    model, step = compiled(), tf.Variable(3)
    model.fit(X, np.ones((4, 1)), batch_size=4, verbose=0)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer, step=step)
    checkpoint.restore(checkpoint.save(folder / "saved"))  # from here on there is a counter
    checkpoint.write(folder / "model")
    model.save_weights(folder / "weights")
    command = [sys.executable, peer.__file__, str(folder), *filter(None, [PEERS_PATH])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads((folder / "found.json").read_text())
    return folder, model, {**seen, "ours": model.predict(X, verbose=0)}


def test_tensorflow_reads_every_tensor(exchange):
    folder, _, seen = exchange
    expected = values()
    assert {name: tuple(shape) for name, (_, shape) in seen["types"].items()} == {
        name: np.shape(value) if not isinstance(value, bytes) else ()
        for name, value in expected.items()
    }
    found = np.load(folder / "found-types.npz")
    for number, name in enumerate(sorted(expected)):
        np.testing.assert_array_equal(found[f"{number}"], peer.numbers(expected[name]), name)
    assert seen["types"]["bfloat16"][0] == "bfloat16" and seen["types"]["texts"][0] == "string"


def test_tensorflow_restores_a_model_and_its_optimizer(exchange):
    _, _, seen = exchange
    assert (seen["step"], seen["iterations"]) == (3, 1)
    assert_close(np.array(seen["predictions"], "float32"), seen["ours"])


def test_one_more_step_in_both_is_the_same(exchange):
    """Also read back: TensorFlow's checkpoint of the model after that step."""
    folder, model, seen = exchange
    model.fit(X, np.ones((4, 1)), batch_size=4, verbose=0, shuffle=False)
    assert_close(np.array(seen["trained"], "float32"), model.predict(X, verbose=0))
    other, step = compiled(), tf.Variable(0)
    checkpoint = tf.train.Checkpoint(model=other, optimizer=other.optimizer, step=step)
    status = checkpoint.restore(folder / "theirs")
    other.optimizer.build(other.trainable_variables)
    status.assert_consumed()
    assert (step.numpy(), other.optimizer.iterations.numpy()) == (9, 2)
    assert_close(other.predict(X, verbose=0), np.array(seen["trained"], "float32"))


def test_keras_2_reads_our_weights(exchange):
    _, _, seen = exchange
    if "keras 2" not in seen:
        pytest.skip("tf_keras is not installed; `make test-peers` brings it")
    assert seen["keras 2 iterations"] == 1
    assert_close(np.array(seen["keras 2"], "float32"), seen["ours"])
