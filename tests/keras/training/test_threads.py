"""Threads that use a model while another one trains it."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import compiled, handover, op, variable
from hornbeam.keras import layers
from hornbeam.keras.training import step

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def make():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model


def gradient(model):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X) ** 2)
    return tape.gradient(loss, model.layers[0].kernel).numpy()


@tf.function
def doubled(model):
    return model.layers[0].kernel * 2


ACTS = {
    "predict": lambda model: model.predict(X, verbose=0),
    "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "get_weights": lambda model: model.get_weights()[0],
    "call": lambda model: model(X).numpy(),
    "an op": lambda model: (model.layers[0].kernel * 2).numpy(),
    "a cast": lambda model: keras.ops.cast(model.layers[0].kernel, "float16").numpy(),
    "a tape": lambda model: gradient(model),
    "a function": lambda model: doubled(model).numpy(),
    "an assignment": lambda model: model.layers[0].kernel.assign_add(np.zeros((4, 8))).numpy(),
    "NumPy": lambda model: np.asarray(model.layers[0].kernel),
    "a slice": lambda model: float(model.layers[0].kernel[0, 0]),
    "a text": lambda model: str(model.layers[0].kernel),
    "fit": lambda model: model.fit(X, Y, verbose=0, shuffle=False).history["loss"],
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_what_a_step_has_taken_over_is_waited_for(act, monkeypatch):
    model = make()
    expected = act(model)
    kernel = model.layers[0].kernel
    lock, taken, met = handover.make_lock(), threading.Event(), threading.Event()

    def other_step():
        with lock:
            kept = kernel._value.copy()
            kernel._value.delete()
            taken.set()
            assert met.wait(60)
            kernel._value = kept

    def no_step():
        met.set()
        return handover.no_step()

    monkeypatch.setattr(step, "no_step", no_step)
    monkeypatch.setattr(op, "handover", SimpleNamespace(**vars(handover) | {"no_step": no_step}))
    monkeypatch.setattr(compiled, "no_step", no_step)
    monkeypatch.setattr(variable, "no_step", no_step)
    thread = threading.Thread(target=other_step)
    thread.start()
    assert taken.wait(60)
    try:
        found = act(model)
    finally:
        met.set()
        thread.join()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["predict", "get_weights", "call"])
def test_beside_a_fit(name):
    act = ACTS[name]
    model, errors, over = make(), [], threading.Event()
    expected = act(model)

    def use():
        try:
            while not over.is_set():
                np.testing.assert_array_equal(act(model), expected)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        model.fit(X, Y, batch_size=4, epochs=20, verbose=0)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not errors


def test_a_step_that_is_broken_off_tells_why():
    model = make()
    program_error = ValueError("not today")

    def failing(*_):
        for each in model.weights:
            each._value.delete()
        raise program_error

    model.predict(X, verbose=0)
    program = model._programs["predict", False]
    with pytest.raises(ValueError, match="not today"):
        program.run(failing, (None, X))
