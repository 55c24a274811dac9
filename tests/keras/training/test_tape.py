"""A step that a user writes with a tape, in `train_step` or under `tf.function`, is the same program as the built-in one."""

import re
from collections import Counter

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from tests.marks import native_only
from tests.tolerances import assert_close

layers = keras.layers
rng = np.random.default_rng(0)
X = rng.normal(size=(32, 8, 8, 1)).astype("float32")
Y = rng.integers(0, 4, 32)


class Own(keras.Model):
    """The train step of TensorFlow's guides."""

    metrics_inside = False

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            if self.metrics_inside:
                self._update(y, y_pred, loss)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        if not self.metrics_inside:
            self._update(y, y_pred, loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def _update(self, y, y_pred, loss):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)


class MetricsInside(Own):
    metrics_inside = True


def batches():
    yield X[:16], Y[:16]
    yield X[16:], Y[16:]


def made(kind):
    """A small model of the notes; it has state of every kind."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    h = layers.Conv2D(8, 3, activation="relu")(inputs)
    h = layers.MaxPooling2D()(layers.BatchNormalization()(h))
    h = layers.Dropout(0.3, seed=3)(layers.Flatten()(h))
    return kind(inputs, layers.Dense(4, activation="softmax")(h))


def trained(kind):
    """The model, trained for two steps."""
    model = made(kind)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(batches(), epochs=1, verbose=0).history
    return model, history


@pytest.fixture(scope="module")
def built_in():
    return trained(keras.Model)


def foreign_calls(model):
    """The native kernels that the compiled step calls, and its products."""
    (program,) = model._programs.values()
    data = tuple(map(tf.keras.ops.convert_to_tensor, (X[:16], Y[:16])))
    raw = tuple(each._value for each in data)
    lowered = program.with_state(lambda *state: program._run.lower(*state, None, raw), (None, raw))
    return calls_in(lowered)


def calls_in(lowered):
    """The native kernels that a lowered program calls once it is compiled, each as often as it does, and its products."""
    text = lowered.compile().as_text()
    return Counter(re.findall(r'custom_call_target="hornbeam_([^"]+)"', text)), text.count(" dot(")


def calls_of(function, *arrays):
    """The same for the program of a `tf.function`."""
    block = function.get_concrete_function(*map(tf.constant, arrays))._blocks[0]
    values = [variable._value for variable in block.reading]
    return calls_in(jax.jit(block.run).lower(values, [tf.constant(each)._value for each in arrays]))


@native_only
@pytest.mark.parametrize("kind", [Own, MetricsInside])
def test_the_step_is_the_built_in_one(kind, built_in):
    """The same draws, moving averages, metrics and weights, and no forward pass twice."""
    model, history = trained(kind)
    expected, expected_history = built_in
    for name, values in expected_history.items():
        assert_close(history[name], values)
    for got, want in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert_close(got, want)
    assert foreign_calls(model) == foreign_calls(expected)


@native_only
@pytest.mark.parametrize("metrics_inside", [False, True])
def test_a_loop_by_hand_has_the_kernel_calls_of_fit(metrics_inside, built_in):
    model, optimizer = made(keras.Model), keras.optimizers.Adam()
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    metrics = [keras.metrics.Mean(), keras.metrics.SparseCategoricalAccuracy()]

    def update(y, y_pred, loss):
        metrics[0].update_state(loss)
        metrics[1].update_state(y, y_pred)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_of(y, y_pred)
            if metrics_inside:
                update(y, y_pred, loss)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        if not metrics_inside:
            update(y, y_pred, loss)

    for batch in batches():
        step(*batch)
    expected, history = built_in
    for metric, name in zip(metrics, ("loss", "accuracy"), strict=True):
        assert_close(metric.result(), history[name][0])
    for got, want in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert_close(got, want)
    assert calls_of(step, X[:16], Y[:16]) == foreign_calls(expected)


@native_only
@pytest.mark.parametrize("persistent", [False, True])
def test_a_step_of_two_adversaries_computes_no_kernel_twice(persistent):
    """What both tapes recorded is one forward pass, and each gradient is computed once for each way that it is asked for."""
    maker = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(8, 3, padding="same")])
    judge = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(8, 3), layers.Flatten(), layers.Dense(1)])  # fmt: skip
    optimizers = [keras.optimizers.SGD(), keras.optimizers.SGD()]
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(noise, real):
        with (
            tf.GradientTape(persistent=persistent) as tape,
            tf.GradientTape(persistent=persistent) as other,
        ):
            on_made, on_real = judge(maker(noise)), judge(real)
            maker_loss = loss_of(tf.ones_like(on_made), on_made)
            judge_loss = loss_of(tf.ones_like(on_real), on_real)
            judge_loss += loss_of(tf.zeros_like(on_made), on_made)
        if persistent:
            other = tape
        for each, loss, model, optimizer in zip((tape, other), (maker_loss, judge_loss), (maker, judge), optimizers, strict=True):  # fmt: skip
            found = each.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(found, model.trainable_variables, strict=True))
        return maker_loss, judge_loss

    noise, real = X[:16, ..., :1] * np.ones(4, "float32"), X[:16] * np.ones(8, "float32")
    kernels, products = calls_of(step, noise, real)
    # Forwards: the maker, and the judge on both; backwards: the maker's way goes through the judge.
    ways = {"conv_forward": 3, "conv_weight_gradient": 3, "conv_input_gradient": 1}
    assert {name: kernels[name] for name in ways} == ways
    assert sum(kernels.values()) == 7
    # The judge's last layer on both, and the gradients of its weights; back through its one column goes no product.
    assert products == 4


def test_a_gradient_penalty_and_two_optimizers():
    """The gradient of a gradient inside of a step, as a critic of a Wasserstein GAN takes it."""

    class Critic(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
            self.make = layers.Dense(3)

        def call(self, x):
            return self.score(self.make(x))

        def compile(self, critic, maker):
            super().compile()
            self.critic, self.maker = critic, maker

        def train_step(self, data):
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    inner.watch(data)
                    score = self.score(data)
                slope = inner.gradient(score, data)
                penalty = tf.reduce_mean((tf.norm(slope, axis=1) - 1.0) ** 2)
            found = outer.gradient(penalty, self.score.trainable_variables)
            pairs = zip(found, self.score.trainable_variables, strict=True)
            self.critic.apply_gradients([pair for pair in pairs if pair[0] is not None])
            with tf.GradientTape() as tape:
                loss = -tf.reduce_mean(self(data))
            made = tape.gradient(loss, self.make.trainable_variables)
            self.maker.apply_gradients(zip(made, self.make.trainable_variables, strict=True))
            return {"penalty": penalty, "loss": loss}

    data = rng.normal(size=(8, 3)).astype("float32")

    def run(run_eagerly):
        keras.utils.set_random_seed(2)
        model = Critic()
        model(data)
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.Adam(0.01))
        model.run_eagerly = run_eagerly
        history = model.fit(data, epochs=3, batch_size=8, shuffle=False, verbose=0).history
        return [*history["penalty"], *history["loss"]], model.get_weights()

    (compiled, weights), (eager, eager_weights) = run(False), run(True)
    assert_close(compiled, eager)
    for got, want in zip(weights, eager_weights, strict=True):
        assert_close(got, want)
    assert compiled[2] < compiled[0], "the penalty is trained"
