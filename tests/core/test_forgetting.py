"""What is dropped is collected, programs of its gradients too, and tables stay as long as they were."""

import gc
import weakref

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam.core import programs, scope

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


class Own(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = tf.keras.layers.Dense(3), tf.keras.layers.Dense(1)

    def call(self, x):
        return self.outer(tf.nn.relu(self.inner(x)))


def stepped():
    """A fresh model of the user's, trained by a fresh function."""
    model, optimizer = Own(), tf.keras.optimizers.Adam()

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x) ** 2)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    step(tf.constant(X))


def on_batches():
    """A fresh model that is compiled, trained, evaluated, cloned."""
    model = tf.keras.models.clone_model(train(fit=False))
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(X, X[:, :1])
    model.evaluate(X, X[:, :1], verbose=0)


@pytest.fixture
def saved(tmp_path):
    """A fresh model that is saved and loaded in each way."""

    def use():
        model = train(fit=False)
        model.save(tmp_path / "a.keras")
        model.save_weights(tmp_path / "a.weights.h5")
        path = tf.train.Checkpoint(model=model).save(tmp_path / "a")
        loaded = tf.keras.models.load_model(tmp_path / "a.keras")
        loaded.load_weights(tmp_path / "a.weights.h5")
        tf.train.Checkpoint(model=loaded).restore(path)

    return use


USES = {
    "functions": lambda: square(tf.Variable(2.0)),
    "eager steps": lambda: train(fit=False),
    "fit": lambda: train(fit=True),
    "steps": stepped,
    "batches": on_batches,
    "saved": None,
}
# Garbage is collected after so many rounds. JAX remembers how many variables lived at a trace, so the rounds before, which
# garbage lives through too, are as many.
CYCLE = 5


def counts():
    gc.collect()
    return np.array([len(gc.get_objects()), len(jax.live_arrays()), len(scope.living()), *sizes()])


@pytest.fixture
def by_hand():
    """Garbage is collected only by the test."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.slow
@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize(("name", "cycles"), {**dict.fromkeys(USES, 4), "functions": 40}.items())
def test_counts_stay_level(name, cycles, saved):
    """Not one array, variable or kept program more, however many rounds there were, and no object of each round.

    A few objects of other origin may come: what ran before in this process is still being forgotten.
    """
    use = USES[name] or saved
    found = []
    for _ in range(cycles):
        for _ in range(CYCLE):
            use()
        found.append(counts())
    objects, *others = found[-1] - found[1]
    assert objects < (cycles - 2) * CYCLE
    assert max(others) <= 0


def test_dropped_models_are_collected_before_a_trace(monkeypatch):
    """Where variables have doubled: each of them costs time in a trace, and memory in JAX's tables."""
    gc.collect()
    few = 2 * len(scope.living()) + 10
    monkeypatch.setattr(scope, "_FEW", few)
    monkeypatch.setattr(scope, "_left", 0)
    thresholds = gc.get_threshold()
    gc.set_threshold(0)  # Python itself collects nothing meanwhile
    try:
        for _ in range(few):
            cycle = [tf.Variable(1.0)]
            cycle.append(cycle)
        assert len(scope.living()) <= few // 2 + 1
    finally:
        gc.set_threshold(*thresholds)
