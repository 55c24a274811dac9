"""Variables that no model or callback holds, such as a global one that a step reads, are part of a training's state."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras.saving.state_folder import newest_state
from tests.keras.training.stopping import Stop, StopAfter

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def made(eagerly=False):
    """A process of its own: a model, and variables beside it, two of one name, that its loss and its step use."""
    weight, decayed, unused = (tf.Variable(1.0, trainable=False, name=n) for n in "vvu")

    class Own(keras.Model):
        def train_step(self, data):
            logs = super().train_step(data)
            decayed.assign(decayed * 0.75)
            return logs

    def loss(y_true, y_pred):
        return tf.reduce_mean((y_true - y_pred) ** 2) * (weight + decayed * 3.0 + unused)

    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1, kernel_initializer="ones")(inputs)
    model = Own(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.01), loss, run_eagerly=eagerly)
    anneal = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weight.assign(weight + 0.5)
    )
    return model, (weight, decayed), [anneal]


def fit(model, callbacks, folder=None, stop=0):
    if folder is not None:
        callbacks = [
            *callbacks,
            keras.callbacks.BackupAndRestore(folder, save_freq=1, delete_checkpoint=False),
        ]
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[*callbacks, StopAfter(stop)])


def values(model, beside):
    return [*model.get_weights(), *(v.numpy() for v in beside)]


@pytest.fixture(scope="module")
def uninterrupted():
    model, beside, callbacks = made()
    fit(model, callbacks)
    return values(model, beside)


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_a_resumed_training_goes_on_with_them(tmp_path, uninterrupted, steps):
    model, beside, callbacks = made()
    with pytest.raises(Stop):
        fit(model, callbacks, tmp_path, steps)
    model, beside, callbacks = made()
    fit(model, callbacks, tmp_path)
    for a, b in zip(uninterrupted, values(model, beside), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_nothing_assigns_is_not_stored(tmp_path):
    model, _, callbacks = made()
    with pytest.raises(Stop):
        fit(model, callbacks, tmp_path, 4)
    stored = [n for n in newest_state(str(tmp_path)).names if n.startswith("elsewhere/")]
    assert stored == ["elsewhere/v_1_of_2", "elsewhere/v_2_of_2"]


def test_what_the_step_reads_no_more_is_told(tmp_path):
    """Of two variables of one name one is left: it may be either."""
    model, _, callbacks = made()
    with pytest.raises(Stop):
        fit(model, callbacks, tmp_path, 4)
    model, _, callbacks = made()
    model.compile(keras.optimizers.SGD(0.01), "mse")
    with pytest.warns(UserWarning, match=r"does not read them now: v_1_of_2, v_2_of_2\. They are"):
        fit(model, callbacks, tmp_path)
