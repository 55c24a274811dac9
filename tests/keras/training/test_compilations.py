"""What is compiled, and when: each program once, and nothing for shapes that were there before."""

import sys
from contextlib import contextmanager

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.training import programs

layers = keras.layers
COMPILED = "/jax/core/compile/backend_compile_duration"


class EachBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        """Overridden: steps are run one by one."""


@contextmanager
def stages():
    """The stages of compilation that are gone through inside: tracing, lowering, compiling."""
    seen = []

    def note(event, duration_secs, **kwargs):
        if event.startswith("/jax/core/compile/"):
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(note)


@contextmanager
def slow_calls():
    """The calls of programs that JAX's quick way does not know, and Python therefore prepares."""
    seen = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "cache_miss":
            seen.append(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def data(rows):
    random = np.random.default_rng(0)
    return random.normal(size=(rows, 6)).astype("float32"), random.normal(size=(rows, 3))


def regressor():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("rows", "callbacks", "programs"),
    [(22, [], 2), (16, [], 1), (22, [EachBatch()], 2)],
    ids=["blocks and a last batch", "blocks", "steps and a last batch"],
)
def test_one_program_and_one_for_a_smaller_last_batch(rows, callbacks, programs):
    x, y = data(rows)

    def fit(model):
        with stages() as seen:
            model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
        return seen.count(COMPILED)

    fit(regressor())  # what one model leaves to the next: copies, the upload of the data
    model = regressor()
    assert fit(model) == programs
    assert bool(model._programs["train", True].blocks) == (not callbacks)
    assert fit(model) == 0


def test_predicting_again_goes_straight_to_the_compiled_call(monkeypatch):
    x, _ = data(22)
    model = regressor()
    first = model.predict(x, batch_size=8, verbose=0)

    def never(*args, **kwargs):
        raise AssertionError("prepared again")

    for name in ("prepare", "flatten_layers", "predict_step"):
        monkeypatch.setattr(type(model), name, never)
    monkeypatch.setattr(programs, "Program", never)
    with stages() as seen:
        again = model.predict(x, batch_size=8, verbose=0)
    assert not seen
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("call", ["fit on a generator", "train", "test", "predict", "one row"])
def test_a_step_that_was_there_before_goes_the_quick_way(call):
    x, y = data(16)
    calls = {
        "fit on a generator": lambda m: m.fit(((x[:8], y[:8]) for _ in range(2)), verbose=0),
        "train": lambda m: m.train_on_batch(x, y),
        "test": lambda m: m.test_on_batch(x, y),
        "predict": lambda m: m.predict_on_batch(x),
        "one row": lambda m: m.predict(x[:1], verbose=0),
    }
    model = regressor()
    for _ in range(5):
        calls[call](model)
    with slow_calls() as seen:
        calls[call](model)
    assert seen == []
    with slow_calls() as seen:
        regressor().predict_on_batch(x)
    assert seen


def test_metrics_that_come_later_are_found():
    model = regressor()
    model.held = []
    assert [each.name for each in model.metrics] == ["loss"]
    model.held.append(keras.metrics.Mean(name="first"))
    assert [each.name for each in model.metrics] == ["loss", "first"]
    model.layers[0].second = keras.metrics.Mean(name="second")
    assert [each.name for each in model.metrics] == ["loss", "first", "second"]
    model.held.clear()
    assert [each.name for each in model.metrics] == ["loss", "second"]
