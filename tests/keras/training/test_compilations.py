"""What is compiled, and when: each program once, and nothing for shapes that were there before."""

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
