"""ProgbarLogger: what fit, evaluate and predict print."""

from __future__ import annotations

import re

import pytest

from hornbeam.keras.callbacks import CallbackList
from tests.keras.callbacks.fakes import FakeModel

TIMES = re.compile(r"\d+s \d+(s|ms|us)/step|\d+s - \d+(s|ms|us)/step")


def bar(**params):
    return CallbackList(add_progbar=True, add_history=True, model=FakeModel(), **params)


def fit(callbacks, epochs=1, steps=4, block=1):
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        for last in range(block - 1, steps, block):
            callbacks.on_train_batch_begin(last)
            callbacks.on_train_batch_end(last, {"loss": 1.0 / (last + 1), "accuracy": last / 10})
        callbacks.on_test_begin()
        callbacks.on_test_batch_end(0, {"loss": 7.0})
        callbacks.on_test_end({"loss": 7.0})
        callbacks.on_epoch_end(epoch, {"loss": 0.25, "accuracy": 0.3, "val_loss": 7.0})
    callbacks.on_train_end()


def printed(capsys):
    return TIMES.sub("TIME", capsys.readouterr().out)


LINE = "4/4 ━━━━━━━━━━━━━━━━━━━━ TIME - accuracy: 0.3000 - loss: 0.2500 - val_loss: 7.0000\n"


@pytest.mark.parametrize("block", [1, 2, 4])
def test_fit_prints_an_epoch_and_its_true_results(capsys, block):
    callbacks = bar(verbose=1, epochs=2, steps=4)
    fit(callbacks, epochs=2, block=block)
    assert printed(capsys) == f"Epoch 1/2\n{LINE}Epoch 2/2\n{LINE}"
    assert callbacks.history.history["loss"] == [0.25, 0.25]


def test_a_single_epoch_has_no_heading(capsys):
    fit(bar(verbose="auto", epochs=1, steps=4))
    assert printed(capsys) == LINE


def test_verbose_2(capsys):
    fit(bar(verbose=2, epochs=2, steps=4), epochs=2)
    line = "4/4 - TIME - accuracy: 0.3000 - loss: 0.2500 - val_loss: 7.0000\n"
    assert printed(capsys) == f"Epoch 1/2\n{line}Epoch 2/2\n{line}"


def test_verbose_0(capsys):
    fit(bar(verbose=0, epochs=2, steps=4), epochs=2)
    assert printed(capsys) == ""


def test_unknown_number_of_steps_is_learned(capsys):
    callbacks = bar(verbose=1, epochs=1, steps=None)
    fit(callbacks)
    fit(callbacks, steps=6)
    fit(callbacks, steps=2)
    lines = printed(capsys).splitlines()
    assert [line.split()[0] for line in lines] == ["4/4", "6/6", "2/2"]


def test_training_that_stops_within_an_epoch_shows_where(capsys):
    callbacks = bar(verbose=1, epochs=1, steps=10)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(3, {"loss": 1.0})
    callbacks.on_epoch_end(0, {"loss": 1.0})
    assert printed(capsys) == " 4/10 ━━━━━━━━──────────── TIME - loss: 1.0000\n"


def test_evaluate_and_predict(capsys):
    callbacks = bar(verbose=1, steps=2)
    callbacks.on_test_begin()
    callbacks.on_test_batch_end(0, {"loss": 1.0})
    callbacks.on_test_batch_end(1, {"loss": 2.0})
    callbacks.on_test_end({"loss": 2.0})
    assert printed(capsys) == "2/2 ━━━━━━━━━━━━━━━━━━━━ TIME - loss: 2.0000\n"

    callbacks.on_predict_begin()
    callbacks.on_predict_batch_end(1, {"outputs": object()})
    callbacks.on_predict_end()
    assert printed(capsys) == "2/2 ━━━━━━━━━━━━━━━━━━━━ TIME\n"


def test_evaluate_after_an_interrupted_fit_shows_its_own_bar(capsys):
    callbacks = bar(verbose=1, epochs=1, steps=2)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    callbacks.close()
    callbacks.on_test_begin()
    callbacks.on_test_batch_end(1, {"loss": 1.0})
    callbacks.on_test_end({"loss": 1.0})
    assert printed(capsys) == "2/2 ━━━━━━━━━━━━━━━━━━━━ TIME - loss: 1.0000\n"
