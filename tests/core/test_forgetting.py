"""What is dropped is collected, programs of its gradients too, and tables stay as long as they were."""

import gc
import weakref

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import programs

X = np.ones((4, 2), "float32")


def square(v):
    """A fresh function, and its slope at 3."""

    @tf.function
    def f(x):
        return x * v * x

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert float(tape.gradient(y, x)) == 6.0 * float(v)
    return f


def curved(v):
    """A fresh function, and its second derivative."""
    f = tf.function(lambda x: x * v * x)
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        slope = inner.gradient(y, x)
    assert float(outer.gradient(slope, x)) == 2.0 * float(v)
    return f


def pushed(v):
    """A fresh function, and its change along a tangent."""
    f = tf.function(lambda x: x * v * x)
    x = tf.constant(3.0)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as accumulator:
        y = f(x)
    assert float(accumulator.jvp(y)) == 6.0 * float(v)
    return f


def sizes():
    return len(programs._programs), len(programs._identities)


@pytest.mark.parametrize("use", [square, curved, pushed])
def test_a_function_goes_with_what_it_captured(use):
    use(tf.Variable(1.0))
    gc.collect()
    before = sizes()
    v = tf.Variable(2.0)
    function = use(v)
    references = [weakref.ref(v), weakref.ref(function)]
    del v, function
    gc.collect()
    assert [each() for each in references] == [None, None]
    assert sizes() == before


def test_a_tape_outlives_the_function_that_it_heard():
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = tf.function(lambda x: x * v * v)(tf.constant(3.0))
    gc.collect()
    assert float(tape.gradient(y, v)) == 12.0


def test_a_tape_goes_with_what_it_kept():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    references = list(map(weakref.ref, (tape, y)))
    del tape, y
    gc.collect()
    assert [each() for each in references] == [None, None]


def train(fit):
    """A fresh model, trained by hand, and by `fit` where that is asked for."""
    layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(3, "relu"), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential(layers)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(X) ** 2)
    variables = model.trainable_variables
    tf.keras.optimizers.SGD(0.1).apply_gradients(
        zip(tape.gradient(loss, variables), variables, strict=True)
    )
    if fit:
        model.compile("sgd", "mse")
        model.fit(X, X[:, :1], batch_size=4, verbose=0)
        model.predict(X, verbose=0)
    return model


def test_a_model_goes_with_its_programs():
    train(fit=True)
    gc.collect()
    before = sizes()
    model = train(fit=True)
    references = [weakref.ref(model), weakref.ref(model.layers[0].kernel)]
    del model
    gc.collect()
    assert [each() for each in references] == [None, None]
    assert sizes() == before


def counts():
    gc.collect()
    return np.array([len(gc.get_objects()), len(jax.live_arrays()), *sizes()])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("use", "rounds"),
    [
        (lambda _: square(tf.Variable(2.0)), 1000),
        (lambda i: train(fit=i % 10 == 0), 100),
    ],
    ids=["functions", "models"],
)
def test_counts_stay_level(use, rounds):
    for i in range(20):
        use(i)
    before = counts()
    for i in range(rounds):
        use(i)
    objects, *others = counts() - before
    assert objects < 10 * rounds, "a function or a model that stays is hundreds of objects"
    assert others == [0, 0, 0]
