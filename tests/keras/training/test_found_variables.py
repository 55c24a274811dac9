"""Variables that a model does not hold: whatever reads them in a step, an assignment counts at the next one."""

import gc

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers, ops
from tests.tolerances import assert_close

X, Y = np.ones((6, 2), "float32"), np.zeros((6, 1), "float32")
NAMES = (
    *("loss function", "loss object", "metric function", "metric object", "lambda", "layer"),
    *("regularizer", "activity regularizer", "added loss", "teacher"),
)


def mean_of(y_pred):
    return ops.mean(y_pred, axis=-1)


class Parts:
    """A model whose losses and metrics are sums of one term a reader, apart by powers of ten."""

    def __init__(self):
        self.v = {name: keras.Variable(1.0, trainable=False, name="outside") for name in NAMES}
        v, teacher = self.v, self.teacher()

        class Weighted(keras.losses.Loss):
            def call(self, y_true, y_pred):
                ones = mean_of(ops.ones_like(y_pred))
                return 10 * v_held["loss object"] * ones + 100 * mean_of(teacher(y_pred * 0 + 1))

        class Seen(keras.metrics.Metric):
            def __init__(self):
                super().__init__(name="seen")
                self.total = self.add_weight(name="total")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.total.assign(v_held["metric object"] * 1.0)

            def result(self):
                return self.total + v_held["metric object"]

        class Adds(layers.Layer):
            def call(self, inputs):
                self.add_loss(10_000.0 * v_held["added loss"])
                return inputs

        class Times(layers.Layer):
            def __init__(self, variable):
                super().__init__()
                self.read = lambda: variable

            def call(self, inputs):
                return inputs * self.read()

        v_held = v
        self.model = keras.Sequential(
            [
                keras.Input((2,)),
                layers.Lambda(lambda x: x * v["lambda"]),
                Times(v["layer"]),
                Adds(),
                layers.Dense(
                    1,
                    kernel_initializer="ones",
                    kernel_regularizer=lambda w: 1_000.0 * v["regularizer"] * ops.mean(w),
                    activity_regularizer=lambda y: 100_000.0 * v["activity regularizer"] * len(y),
                ),
            ]
        )
        loss = Weighted()
        self.model.compile(
            keras.optimizers.SGD(0.0),
            lambda y, p: loss(y, p) + v["loss function"],
            metrics=[Seen(), lambda y, p: v["metric function"] * 7.0],
        )

    def teacher(self):
        model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
        self.v["teacher"] = model.layers[-1].kernel
        self.v["teacher"].assign([[1.0]])
        return model

    def assign(self, value):
        for variable in self.v.values():
            variable.assign(np.full(variable.shape, value))


class Raise(keras.callbacks.Callback):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def on_epoch_begin(self, epoch, logs=None):
        self.parts.assign(epoch + 1.0)


@pytest.mark.parametrize("batch_size", [6, 2])
def test_every_reader(batch_size):
    """In one step an epoch and in blocks of steps."""
    parts = Parts()
    model, total = parts.model, 111_111.0
    fitted = model.fit(
        X, Y, batch_size=batch_size, epochs=3, verbose=0, callbacks=[Raise(parts)]
    ).history
    assert fitted["loss"] == [total, 2 * total, 3 * total]
    assert fitted["seen"] == [2, 4, 6]
    assert [values for name, values in fitted.items() if "lambda" in name] == [[7, 14, 21]]
    parts.assign(5.0)
    logs = model.evaluate(X, Y, batch_size=batch_size, verbose=0, return_dict=True)
    assert logs["loss"] == 5 * total and logs["seen"] == 10
    assert model.predict(X, verbose=0)[0] == 2 * 5 * 5
    parts.assign(6.0)
    assert model.predict(X, verbose=0)[0] == 2 * 6 * 6
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] == 6 * total
    parts.assign(7.0)
    assert model.train_on_batch(X, Y, return_dict=True)["loss"] == 7 * total
    assert model.test_on_batch(X, Y, return_dict=True)["loss"] == 7 * total


def one_weight(loss="mse", optimizer="sgd", **kwargs):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
    )
    model.compile(optimizer, loss, **kwargs)
    return model


def test_a_schedule_and_a_constraint():
    rate, low = keras.Variable(0.0), keras.Variable(-1.0)

    class Follows(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return rate * 1.0

        def get_config(self):
            return {}

    model = one_weight(lambda y, p: mean_of(p), keras.optimizers.SGD(Follows()))
    kernel = model.layers[-1].kernel
    kernel.constraint = lambda w: ops.maximum(w, low)
    for value, bound, expected in (
        (0.0, -1.0, 0.0),
        (0.5, -1.0, -0.5),
        (0.25, -1.0, -0.75),
        (9.0, -2.0, -2.0),
    ):
        rate.assign(value), low.assign(bound)
        model.train_on_batch(X, Y)
        np.testing.assert_array_equal(kernel.numpy(), np.full((2, 1), expected))


def test_what_a_step_assigns_outside_of_the_model_takes_effect():
    """A counter in a loss, and a seed that nobody holds; two epochs of three batches and a validation."""
    count, seeds = keras.Variable(0), keras.random.SeedGenerator(3)

    def loss(y, p):
        count.assign_add(1)
        return mean_of(p) * 0 + ops.cast(seeds.next()[1], "float32")

    model = one_weight(loss)
    losses = model.fit(X, Y, batch_size=2, epochs=2, verbose=0, shuffle=False).history["loss"]
    assert int(count) == 6 and losses == [1, 4]
    model.evaluate(X, Y, batch_size=3, verbose=0)
    assert int(count) == 8


def test_a_variable_made_by_the_first_call_of_a_loss_is_state():
    kept = []

    def loss(y, p):
        if not kept:
            kept.append(keras.Variable(1.0))
        return kept[0] * ops.ones_like(mean_of(p))

    model = one_weight(loss)
    assert model.train_on_batch(X, Y) == 1
    kept[0].assign(4.0)
    assert model.train_on_batch(X, Y) == 4


def test_a_variable_of_a_deleted_model():
    """Its value lives as long as somebody reads it."""
    other = one_weight()
    other.fit(X, Y + 1, epochs=1, verbose=0)
    kernel = other.layers[-1].kernel
    model = one_weight(lambda y, p: mean_of(p) * 0 + ops.sum(kernel))
    first = model.train_on_batch(X, Y)
    assert_close(first, kernel.numpy().sum(), "rounded")
    del other
    gc.collect()
    assert model.train_on_batch(X, Y) == first
    kernel._value.delete()  # what a step that was broken off leaves behind
    with pytest.raises(RuntimeError, match=r"lost its value.*`assign`"):
        model.fit(X, Y, verbose=0)
    kernel.assign(np.ones((2, 1)))
    assert model.train_on_batch(X, Y) == 2


def test_a_teacher_that_trains_in_between():
    """Its program gives its weights away at each step; the pupil's reads the newest."""
    teacher = one_weight(lambda y, p: mean_of(p), keras.optimizers.SGD(1.0))
    pupil = one_weight(lambda y, p: mean_of(teacher(X)) + 0 * mean_of(p), metrics=["mae"])
    for step in range(3):
        assert pupil.train_on_batch(X, Y)[0] == -2 * step
        teacher.train_on_batch(X, Y)


def test_run_eagerly_reads_and_assigns_too():
    factor, count = keras.Variable(2.0), keras.Variable(0)

    def loss(y, p):
        count.assign_add(1)
        return factor * ops.ones_like(mean_of(p))

    model = one_weight(loss, run_eagerly=True)
    assert model.train_on_batch(X, Y) == 2
    factor.assign(3.0)
    assert model.train_on_batch(X, Y) == 3 and int(count) == 2
