"""Steps of the user's that train variables which no layer holds."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.tolerances import assert_close

X = np.arange(8, dtype="float32").reshape(4, 2) / 8
Y = X.sum(1, keepdims=True)


def trained(optimizer, eagerly=False, with_weights=True):
    """Train a variable outside of the model; with the model's weights or alone."""
    scale = tf.Variable([[1.0]], name="scale")
    runs = []

    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x) * scale

        def train_step(self, data):
            runs.append(1)
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x) - y - 1) ** 2)
            variables = [*(self.trainable_variables if with_weights else []), scale]
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
            return {"loss": loss}

    model = Scaled()
    model.compile(optimizer, run_eagerly=eagerly)
    losses = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    return losses, float(scale[0, 0]), model, len(runs)


@pytest.mark.parametrize("with_weights", [True, False])
def test_an_optimizer_works_on_the_variables_of_the_first_step(with_weights):
    losses, scale, model, runs = trained(keras.optimizers.Adam(0.1), with_weights=with_weights)
    assert losses[2] < losses[0] and scale > 1.2
    names = [v.name for v in model.optimizer.variables]
    assert names[-2:] == ["scale_0_momentum", "scale_0_velocity"]
    assert len(names) == 2 + (6 if with_weights else 2)
    assert int(model.optimizer.iterations) == 3 and runs == 2
    eager = trained(keras.optimizers.Adam(0.1), eagerly=True, with_weights=with_weights)
    assert_close(np.float32(losses), np.float32(eager[0]))
    model.fit(X, Y, verbose=0)
    assert int(model.optimizer.iterations) == 4


def test_what_the_first_step_did_not_train_is_told():
    _, _, model, _ = trained(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"Unknown variable: 'late'.*first call of `apply`"):
        model.optimizer.apply_gradients([(1.0, tf.Variable(1.0, name="late"))])


def test_slots_are_named_as_in_keras():
    """By the path of a layer's weight, and by the name of a bare tf.Variable."""
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    layer = keras.layers.Dense(1, name="dense")
    layer.build((None, 2))
    optimizer.build([layer.kernel, tf.Variable(1.0, name="w"), tf.Variable(2.0)])
    assert [v.name for v in optimizer.variables[2:]] == [
        "dense_kernel_momentum",
        "w_0_momentum",
        "Variable_0_momentum",
    ]
