"""With `run_eagerly=True` Python sees values everywhere, under the gradient too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import eager, scope
from hornbeam.core.recording import recorders
from hornbeam.keras import layers
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 6, 6, 2)).astype("float32")
Y = RNG.normal(size=(8, 1)).astype("float32")


def test_values_are_seen_under_the_gradient():
    v = keras.Variable([1.0, -2.0])
    kept = []

    def loss():
        y = v * 3.0
        kept.extend([y, tf.nn.relu(y)])
        assert y.numpy().tolist() == [3.0, -6.0] and "-6." in repr(y) and "-6." in str(y)
        total = keras.ops.sum(jnp.square(y._value))
        return (total if float(total) > 0 else -total), y

    (value, out), (gradient,) = eager.value_and_grad(loss, [v])()
    assert float(value) == 45.0 and out.numpy().tolist() == [3.0, -6.0]
    assert np.asarray(gradient).tolist() == [18.0, -36.0]
    assert [each.numpy().tolist() for each in kept] == [[3.0, -6.0], [3.0, 0.0]]


def test_assignments_under_the_gradient_take_effect():
    v, count = keras.Variable(2.0), keras.Variable(0.0)

    def loss():
        count.assign_add(v)
        return v * count, None

    (value, _), (gradient,) = eager.value_and_grad(loss, [v])()
    assert (float(value), float(gradient), float(count)) == (4.0, 4.0, 2.0)


def test_an_error_leaves_no_listener_behind():
    def loss():
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        eager.value_and_grad(loss, [keras.Variable(1.0)])()
    assert recorders() == []


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_gradients_are_those_of_the_compiled_program(policy):
    """Through kernels with gradients of their own: convolution, pooling, normalization, recurrence, attention."""
    keras.utils.set_random_seed(0)
    parts = [
        layers.Conv2D(4, 3, activation="relu", dtype=policy),
        layers.MaxPooling2D(2, dtype=policy),
        layers.Reshape((4, 4), dtype=policy),
        layers.LSTM(3, return_sequences=True, dtype=policy),
        layers.LayerNormalization(dtype=policy),
        layers.Flatten(dtype=policy),
        layers.Dense(1, dtype="float32"),
    ]
    model = keras.Sequential([keras.Input((6, 6, 2)), *parts])

    def loss():
        return keras.ops.mean((model(X, training=True) - Y) ** 2), None

    wanted = scope.value_and_grad(loss, model.trainable_variables)()[1]
    found = eager.value_and_grad(loss, model.trainable_variables)()[1]
    for a, b in zip(wanted, found, strict=True):
        assert_close(b, a)


class Looking(keras.Model):
    """Looks at values wherever a model may run the user's Python."""

    def __init__(self):
        super().__init__()
        self.flat, self.out = layers.Flatten(), layers.Dense(1)
        self.kept = self.steps = None

    def call(self, inputs, training=False):
        self.kept = self.flat(inputs)
        assert_close(float(keras.ops.max(self.kept)), self.kept.numpy().max(), "rounded")
        return self.out(self.kept) if self.kept.numpy().sum() < 1e9 else self.kept

    def train_step(self, data):
        logs = super().train_step(data)
        self.steps = (self.steps or 0) + 1
        return {**logs, "largest": float(np.abs(self.out.kernel.numpy()).max())}


def error(y_true, y_pred):
    difference = y_true - y_pred
    return difference**2 if difference.numpy().size else difference


def test_every_place_of_a_users_python():
    class Last(keras.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.last = float(y_pred.numpy()[-1, 0])

        def result(self):
            return self.last

    model = Looking()
    model.compile("sgd", error, metrics=[error, Last(name="last")], run_eagerly=True)
    history = model.fit(X, Y, batch_size=4, epochs=2, verbose=0, validation_data=(X, Y)).history
    assert model.steps == 4 and len(history["largest"]) == 2
    assert_close(history["largest"][1], np.abs(model.out.kernel.numpy()).max(), "rounded")
    assert_close(history["val_last"][1], model.predict(X, verbose=0)[-1, 0], "rounded")
    assert model.kept.numpy().shape == (8, 72)
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] > 0


def test_a_bad_value_stops_the_training_and_harms_nothing():
    class Strict(layers.Layer):
        def call(self, x, training=False):
            if training and bool(keras.ops.any(keras.ops.isnan(x))):
                raise ValueError("nan in the middle")
            return x

    strict = Strict()

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat, self.strict, self.out = layers.Flatten(), strict, layers.Dense(1)

        def call(self, x, training=False):
            return self.out(self.strict(self.flat(x), training=training))

    model = Model()
    model.compile("sgd", "mse", run_eagerly=True)
    model(X)
    before = model.get_weights()
    with pytest.raises(ValueError, match="nan in the middle"):
        model.fit(X * np.nan, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_compiled_programs_still_refuse_to_show_values():
    class Model(Looking):
        def call(self, inputs, training=False):
            return self.out(self.flat(inputs)).numpy()

    model = Model()
    model.compile("sgd", "mse")
    with pytest.raises(RuntimeError, match="run_eagerly=True"):
        model.fit(X, Y, verbose=0)


def test_run_eagerly_set_after_compile_counts_at_the_next_call():
    seen = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat, self.out = layers.Flatten(), layers.Dense(1)

        def call(self, inputs, training=False):
            seen.append(isinstance(inputs._value, jax.core.Tracer))
            return self.out(self.flat(inputs))

    model = Model()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    for is_eager in (True, False):
        model.run_eagerly = is_eager
        for act in (
            lambda: model.fit(X, Y, verbose=0),
            lambda: model.evaluate(X, Y, verbose=0),
            lambda: model.predict(X, verbose=0),
            lambda: model.train_on_batch(X, Y),
        ):
            seen.clear()
            act()
            assert (False in seen) == is_eager


def test_tensors_kept_in_a_step_can_be_looked_at_afterwards():
    class Keeping(layers.Layer):
        def call(self, x):
            self.seen = x * 2
            return x

    keeping = Keeping()
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1), keeping])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(np.ones((4, 3)), np.zeros((4, 1)), verbose=0)
    assert np.isfinite(keeping.seen.numpy()).all() and "traced" not in repr(keeping.seen)
