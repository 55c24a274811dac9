"""A step of the user's runs its Python once for each form of data, as under `tf.function`, and what it makes is kept."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers

X, Y = np.ones((22, 3), "float32"), np.zeros((22, 1), "float32")
seen = 0


class Counting(keras.Model):
    """Counts in a global, in an attribute and in a list how often the Python of its steps runs."""

    def __init__(self, make_late=False):
        super().__init__()
        self.out = layers.Dense(1, kernel_initializer="zeros")
        self.runs, self.tests, self.shapes = 0, 0, []
        self.own = None if make_late else keras.optimizers.SGD(0.05, momentum=0.5)
        self.seen_loss = None if make_late else keras.metrics.Mean(name="loss")

    def call(self, inputs):
        return self.out(inputs)

    def train_step(self, data):
        global seen
        seen += 1
        self.runs += 1
        x, y = data
        self.shapes.append(x.shape[0])
        if self.own is None:
            self.own = keras.optimizers.SGD(0.05, momentum=0.5)
            self.seen_loss = keras.metrics.Mean(name="loss")
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x, training=True) - y - 1.0) ** 2)
        weights = self.trainable_variables
        self.own.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.seen_loss.update_state(loss)
        return {"loss": self.seen_loss.result()}

    def test_step(self, data):
        self.tests += 1
        x, y = data
        return {"loss": tf.reduce_mean((self(x) - y) ** 2)}


class EachBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        """Overridden: steps are run one by one."""


def counting(**kwargs):
    model = Counting(**kwargs)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("callbacks", [[], [EachBatch()]], ids=["in blocks", "one by one"])
def test_once_for_each_shape(callbacks):
    global seen
    seen, model = 0, counting()
    model.own.build(model.build((None, 3)) or model.trainable_variables)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
    assert seen == model.runs == 2 and sorted(model.shapes) == [6, 8]
    model.fit(X, Y, batch_size=8, verbose=0)
    assert model.runs == 2  # blocks and single steps are forms of one trace
    model.train_on_batch(X[:8], Y[:8])
    assert model.runs == 3  # no rows of resident arrays


def test_an_evaluation_runs_once_too():
    model = counting()
    model.fit(X, Y, batch_size=11, validation_data=(X[:11], Y[:11, 0]), epochs=2, verbose=0)
    assert model.tests == 1


def test_what_the_first_run_makes_is_state_as_if_it_had_been_there():
    """The optimizer and the metric of the first run are used by the second, and every step counts."""
    losses = []
    for make_late in (False, True):
        model = counting(make_late=make_late)
        model.fit(X, Y, batch_size=11, epochs=2, verbose=0, shuffle=False)
        losses.append(model.history.history["loss"])
        assert model.runs == 2  # once to make the slots, once more with them
        assert int(model.own.iterations) == 4
        changing = model._programs["train", True].changing
        assert all(any(v is each for each in changing) for v in model.own.variables)
        model.fit(X, Y, batch_size=11, epochs=2, verbose=0, shuffle=False)
        assert model.runs == 2 and int(model.own.iterations) == 8
    assert losses[0] == losses[1] and losses[0][0] > losses[0][1]


def test_callbacks_come_before_the_first_run():
    order = []

    class Begins(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            order.append("begin")

        def on_epoch_begin(self, epoch, logs=None):
            order.append("epoch")

    class Noting(Counting):
        def train_step(self, data):
            order.append("step")
            return super().train_step(data)

    model = Noting()
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=11, epochs=2, verbose=0, callbacks=[Begins()])
    assert order == ["begin", "epoch", "step", "step", "epoch"]


def test_a_first_value_made_of_the_batch():
    class Keeps(keras.Model):
        kept = None

        def train_step(self, data):
            if self.kept is None:
                self.kept = tf.Variable(tf.reduce_sum(data) + 0.5)
            return {"kept": self.kept.assign_add(1.0)}

    model = Keeps()
    model.compile("sgd")
    logs = model.fit(X, batch_size=11, epochs=2, verbose=0).history["kept"]
    assert logs == [33.5 + 2, 33.5 + 4] and float(model.kept) == 37.5


def test_a_step_that_fails_is_tried_again():
    class Fails(Counting):
        fails = True

        def train_step(self, data):
            logs = super().train_step(data)
            if self.fails:
                raise LookupError("mine")
            return logs

    model = Fails(make_late=True)
    model.compile("sgd", "mse")
    with pytest.raises(LookupError, match="mine") as raised:
        model.fit(X, Y, batch_size=11, verbose=0)
    assert raised.value.__context__ is None
    model.fails = False
    model.fit(X, Y, batch_size=11, verbose=0)
    assert int(model.own.iterations) == 2


def test_arrays_that_the_user_may_hold_are_copied_once():
    model = counting()
    model.fit(X, Y, batch_size=11, verbose=0)
    assert not any(v.is_lent for v in model._programs["train", True].changing)


@pytest.mark.parametrize("callbacks", [[], [EachBatch()]], ids=["in blocks", "one by one"])
def test_an_error_of_python_that_the_step_calls_back_is_raised_as_it_is(callbacks):
    class CallsBack(Counting):
        def train_step(self, data):
            looked = tf.numpy_function(look, [data[0]], tf.TensorSpec([], tf.float32))
            return super().train_step(data) | {"looked": looked}

    def look(x):
        if fails:
            raise LookupError("mine")
        return x.sum()

    model, fails = CallsBack(), False
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=11, verbose=0, callbacks=callbacks)
    fails = True
    with pytest.raises(LookupError, match="mine"):
        model.fit(X, Y, batch_size=11, verbose=0, callbacks=callbacks)
    fails = False
    logs = model.fit(X, Y, batch_size=11, verbose=0, callbacks=callbacks).history
    assert logs["looked"] == [33] and model.out.kernel.numpy().shape == (3, 1)
