"""Weights in TensorFlow's checkpoints: files that Keras 2 and 3 wrote, our own, and what does not fit."""

import os
from pathlib import Path

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import changes
from tests.files.tensorflow import make

MADE = Path(make.__file__).parent


@pytest.fixture(autouse=True)
def nothing_waits():
    yield
    changes.waiting.clear()


def weights(model):
    """Return the weights' values, layer by layer; each has one value."""
    found = [weight for layer in model.layers for weight in layer.weights]
    return [value for w in found for (value,) in [set(np.ravel(w.numpy()).tolist())]]


def slots(optimizer):
    return [float(np.max(v.numpy())) for v in optimizer.variables if v.shape]


def compiled(model, optimizer):
    model.compile(optimizer, "mse")
    return model


NUMBERS = [float(i) for i in range(1, 9)]


def test_a_model_and_optimizer_of_keras_3():
    model, step = make.stack(keras), tf.Variable(0)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step)
    checkpoint.restore(MADE / "keras3").assert_consumed()
    assert weights(model) == NUMBERS
    assert slots(optimizer) == [float(i) for i in range(101, 113)]
    assert (step.numpy(), optimizer.iterations.numpy()) == (5, 7)
    assert optimizer.learning_rate.numpy() == 0.25


@pytest.mark.parametrize("built", [True, False])
def test_weights_of_keras_2(built):
    model = compiled(make.stack(keras), keras.optimizers.Adam())
    if built:
        model.optimizer.build(model.trainable_variables)
    status = model.load_weights(MADE / "keras2")
    model.optimizer.build(model.trainable_variables)
    status.assert_consumed()
    assert weights(model) == NUMBERS
    assert slots(model.optimizer) == [float(i) for i in range(101, 113)]
    assert model.optimizer.iterations.numpy() == 7
    assert model.optimizer.learning_rate.numpy() == 0.25


@pytest.mark.parametrize("built", [True, False])
def test_an_optimizer_of_tensorflow_before_2_11(built):
    optimizer = keras.optimizers.RMSprop(momentum=0.5, centered=True)
    model = compiled(make.graph(keras), optimizer)
    if built:
        optimizer.build(model.trainable_variables)
    status = model.load_weights(MADE / "keras2_old")
    optimizer.build(model.trainable_variables)
    status.assert_consumed()
    assert weights(model) == NUMBERS
    assert (optimizer.iterations.numpy(), optimizer.learning_rate.numpy()) == (7, 0.25)
    # There: rms and momentum and mg of the first variable, then of the second, ...; here one list behind the other.
    found = [v.numpy().max() for name in optimizer._slots for v in optimizer._slots[name]]
    assert sorted(found) == list(range(101, 101 + len(found)))
    assert all(len(set(np.ravel(v.numpy()))) == 1 for v in optimizer.variables)


def test_a_class_of_keras_2():
    model = make.net(keras)
    model.load_weights(MADE / "keras2_class").assert_existing_objects_matched()
    model(np.zeros((1, 4), "float32"))
    assert weights(model) == [float(i) for i in range(1, 8)]


def test_written_and_read(tmp_path):
    model = compiled(make.stack(keras), keras.optimizers.Adam(0.25))
    model.optimizer.build(model.trainable_variables)
    make.fill(model, model.optimizer.variables[2:])
    path = tmp_path / "new" / "cp-{epoch:02d}.ckpt"
    model.save_weights(path)
    assert tf.train.latest_checkpoint(path.parent) == str(path)
    other = compiled(make.stack(keras), keras.optimizers.Adam())
    other.load_weights(path).expect_partial()
    assert weights(other) == NUMBERS
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        model.save_weights(path, overwrite=False)


def test_the_same_tensors_as_keras_2(tmp_path):
    """Names, shapes, types and values."""
    model = compiled(make.stack(keras), keras.optimizers.Adam(0.25))
    model.optimizer.build(model.trainable_variables)
    make.fill(model, model.optimizer.variables[2:])
    model.optimizer.iterations.assign(7)
    model.save_weights(tmp_path / "ckpt")
    ours, theirs = map(tf.train.load_checkpoint, (tmp_path / "ckpt", MADE / "keras2"))
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    assert ours.get_variable_to_dtype_map() == theirs.get_variable_to_dtype_map()
    for name in theirs.get_variable_to_shape_map().keys() - {"_CHECKPOINTABLE_OBJECT_GRAPH"}:
        np.testing.assert_array_equal(ours.get_tensor(name), theirs.get_tensor(name))


def other_stack(units, last=2):
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((3,)), layers.Dense(units), layers.BatchNormalization(), layers.Dense(last)]
    )


def test_what_does_not_fit(tmp_path):
    """All differences are named, nothing is changed; with `skip_mismatch` the rest is loaded."""
    model = other_stack(5)
    before = [w.numpy() for w in model.weights]
    with pytest.raises(
        ValueError, match=r"keras2 does not fit the model .* no weight was changed"
    ) as error:
        model.load_weights(MADE / "keras2")
    text = str(error.value)
    assert "/kernel (3, 5): layer_with_weights-0/kernel has shape (3, 4)" in text
    assert "/moving_variance (5,): layer_with_weights-1/moving_variance has shape (4,)" in text
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    model = other_stack(4, last=7)
    make.fill(model)
    model.layers[0].set_weights([np.zeros((3, 4)), np.zeros(4)])
    with pytest.warns(UserWarning, match="what differs was left as it is, the rest was loaded"):
        model.load_weights(MADE / "keras2", skip_mismatch=True)
    assert weights(model) == NUMBERS
    with pytest.raises(ValueError, match=r"layer_with_weights-2/kernel, and nothing takes it"):
        keras.Sequential([keras.Input((3,)), *other_stack(4).layers[:2]]).load_weights(
            MADE / "keras2"
        )


def test_objects_to_skip():
    model = other_stack(4)
    make.fill(model)
    model.layers[2].set_weights([np.zeros((4, 2)), np.zeros(2)])
    model.load_weights(MADE / "keras2", objects_to_skip=[model.layers[2]])
    assert weights(model) == [*NUMBERS[:6], 0, 0]


def test_names_that_are_no_checkpoints(tmp_path):
    model = other_stack(4)
    with pytest.raises(ValueError, match="`by_name` does not apply"):
        model.load_weights(MADE / "keras2", by_name=True)
    for name in ("a.keras", "a.json", "a.npz", "a/"):
        with pytest.raises((ValueError, IsADirectoryError)):
            model.save_weights(f"{tmp_path}/{name}")
    assert not os.listdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "none")
    tf.train.Checkpoint(x=tf.Variable(1.0)).write(tmp_path / "other")
    with pytest.raises(ValueError, match="does not fit the model"):
        model.load_weights(tmp_path / "other")
    with pytest.raises(AssertionError, match=r"Nothing in the checkpoint .* it has x"):
        make.net(keras).load_weights(tmp_path / "other")
