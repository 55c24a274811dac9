"""Blocks of steps do what single steps do, and leave callbacks, Ctrl-C and the last batch as they are."""

from contextlib import nullcontext

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.training.blocks import SECONDS, Blocks, Pace
from hornbeam.kernels import native
from tests.tolerances import assert_close

layers = keras.layers


def perceptron():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def data(rows=70):
    random = np.random.default_rng(0)
    return random.normal(size=(rows, 6)).astype("float32"), random.integers(0, 3, rows)


class EachBatch(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)


def blocks_of(model, kind="train"):
    return model._programs[kind, True].blocks


def test_the_same_weights_and_history_as_single_steps():
    x, y = data()

    def trained(*callbacks):
        model = perceptron()
        history = model.fit(
            x, y, 8, epochs=3, verbose=0, validation_data=(x, y), callbacks=list(callbacks)
        )
        return model, history

    blocked, first = trained()
    single, second = trained(EachBatch())
    assert blocks_of(blocked)
    assert blocks_of(single) is None
    assert_close(blocked.get_weights(), single.get_weights(), "rounded")
    assert_close(first.history, second.history, "rounded")


def test_an_overridden_batch_hook_sees_every_batch():
    x, y = data()
    seen = EachBatch()
    perceptron().fit(x, y, batch_size=8, verbose=0, callbacks=[seen])
    assert seen.seen == list(range(9))


def test_evaluation_in_blocks():
    x, y = data()
    model = perceptron()
    whole = model.evaluate(x, y, batch_size=70, verbose=0)
    assert_close(model.evaluate(x, y, batch_size=8, verbose=0), whole)
    assert blocks_of(model, "test")


@pytest.mark.parametrize("rows", [8, 9, 16, 17])
def test_whole_and_last_batches_are_counted(rows):
    x, y = data(rows)
    model = perceptron()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 2 * -(-rows // 8)


def test_convolutions_of_xla_stay_out_of_loops(monkeypatch):
    """The rule looks into the step; it is told here that matrix products are slow in loops."""
    monkeypatch.setattr("hornbeam.keras.training.blocks.SLOW_IN_LOOPS", {"dot_general"})
    monkeypatch.setattr("jax.default_backend", lambda: "cpu")
    x, y = data()
    model = perceptron()
    model.fit(x, y, batch_size=8, verbose=0)
    assert blocks_of(model) is False


@pytest.mark.parametrize("context", [nullcontext, native.switched_off])
def test_native_convolutions_are_trained_in_blocks(context):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(16, 8, 8, 2)).astype("float32"), random.integers(0, 3, 16)
    network = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    model = keras.Sequential([keras.Input((8, 8, 2)), *network, layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with context():
        model.fit(x, y, batch_size=8, verbose=0)
    assert bool(blocks_of(model)) == (native.available() and context is nullcontext)
    assert int(model.optimizer.iterations.numpy()) == 2


def test_stop_training_stops_between_blocks(monkeypatch):
    x, y = data()
    model = perceptron()

    class Stop(keras.callbacks.ProgbarLogger):  # its batch hook is not overridden
        def on_epoch_begin(self, epoch, logs=None):
            self.model.stop_training = True

    model.fit(x, y, batch_size=8, epochs=5, verbose=0, callbacks=[Stop()])
    assert int(model.optimizer.iterations.numpy()) < 9


def test_the_pace_follows_the_time_of_a_step(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr("jax.block_until_ready", lambda logs: now.__setitem__(0, now[0] + logs))
    pace = Pace()
    for _ in range(12):
        pace.started(pace.steps, pace.steps * SECONDS / 50)
        pace.settle()
    assert pace.steps == 50
    pace.started(pace.steps, 40 * SECONDS)
    pace.settle()
    assert pace.steps == 1


def test_an_interrupt_between_blocks_leaves_the_model(monkeypatch):
    x, y = data()
    model = perceptron()
    model.fit(x, y, batch_size=8, verbose=0)
    call, calls = Blocks.__call__, []

    def interrupted(self, *args):
        calls.append(call(self, *args))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(Blocks, "__call__", interrupted)
    blocks_of(model).pace.steps = 1
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=8, verbose=0)
    monkeypatch.undo()
    assert np.isfinite(model.predict(x, verbose=0)).all()
    model.fit(x, y, batch_size=8, verbose=0)
