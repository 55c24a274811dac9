"""Values of 64 bits come back to the last bit, and in their own types, from every file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

BIG, FINE = 2**40 + 1, 0.1 + 2**-50


@keras.saving.register_keras_serializable("wide")
class Counter(keras.layers.Layer):
    """A layer with weights of 64 bits."""

    def __init__(self, count_type="int64", fine_type="float64", **kwargs):
        super().__init__(**kwargs)
        self.count_type, self.fine_type = count_type, fine_type

    def build(self, shape):
        self.count = self.add_weight((), "zeros", self.count_type, trainable=False, name="count")
        self.fine = self.add_weight((2,), "zeros", self.fine_type, name="fine")

    def call(self, x):
        return x * 1.0


def model(**types: str) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), Counter(**types), keras.layers.Dense(1)])


@pytest.fixture
def filled() -> keras.Model:
    made = model()
    made.compile("adam", "mse")
    made.fit(np.ones((2, 2), "float32"), np.ones((2, 1), "float32"), verbose=0)
    made.layers[0].count.assign(BIG)
    made.layers[0].fine.assign([FINE, 1.0])
    made.optimizer.iterations.assign(BIG)
    return made


def check(found: keras.Model) -> None:
    counter = found.layers[0]
    assert (counter.count.dtype, counter.fine.dtype) == ("int64", "float64")
    assert (int(counter.count), float(counter.fine.numpy()[0])) == (BIG, FINE)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_models(filled: keras.Model, name: str, tmp_path: Path):
    filled.save(tmp_path / name)
    found = keras.models.load_model(tmp_path / name)
    check(found)
    assert found.optimizer.iterations.dtype == "int64" and int(found.optimizer.iterations) == BIG


@pytest.mark.parametrize(
    "name", ["m.weights.h5", "m.h5", "m.weights.json", "m.safetensors", "checkpoint"]
)
def test_weights(filled: keras.Model, name: str, tmp_path: Path):
    filled.save_weights(tmp_path / name)
    found = model()
    found.load_weights(tmp_path / name)
    check(found)


def test_checkpoints(filled: keras.Model, tmp_path: Path):
    values = {"count": tf.Variable(BIG), "fine": tf.Variable(FINE, dtype=tf.float64)}
    path = tf.train.Checkpoint(model=filled, **values).save(tmp_path / "c")
    new = {"count": tf.Variable(np.int64(0)), "fine": tf.Variable(np.float64(0))}
    found = model()
    found.compile("adam", "mse")
    tf.train.Checkpoint(model=found, **new).restore(path)
    found.optimizer.build(found.trainable_variables)
    check(found)
    assert [each.numpy() for each in new.values()] == [BIG, FINE]
    assert int(found.optimizer.iterations) == BIG


def test_a_training_that_goes_on(filled: keras.Model, tmp_path: Path):
    x, y = np.ones((2, 2), "float32"), np.ones((2, 1), "float32")
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    filled.fit(x, y, epochs=1, verbose=0, callbacks=[backup])
    found = model()
    found.compile("adam", "mse")
    found.fit(x, y, epochs=1, verbose=0, callbacks=[backup])
    check(found)
    assert int(found.optimizer.iterations) == BIG + 1


def test_narrower_files_and_wider_ones(filled: keras.Model, tmp_path: Path):
    """What a variable of 32 bits can't hold is refused, and what it can hold is taken."""
    filled.save_weights(tmp_path / "m.weights.h5")

    small = model(count_type="int32", fine_type="float32")
    with pytest.raises(ValueError, match="beyond int32"):
        small.load_weights(tmp_path / "m.weights.h5")
    filled.layers[0].count.assign(7)
    filled.save_weights(tmp_path / "m.weights.h5")
    small.load_weights(tmp_path / "m.weights.h5")
    assert int(small.layers[0].count) == 7 and small.layers[0].fine.dtype == "float32"
