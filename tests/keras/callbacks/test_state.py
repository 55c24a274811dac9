"""A training that is stopped and resumed with the state of its callbacks decides as one that was not."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from hornbeam.keras import callbacks
from hornbeam.keras.callbacks import CallbackList
from tests.keras.callbacks.fakes import FakeModel

VALUES = [1.0, 0.9, 0.95, math.nan, 0.96, 0.8, 0.85, 0.9, 0.99, 1.0]
MAKERS = {
    "stopper": lambda path: callbacks.EarlyStopping(patience=4, restore_best_weights=True),
    "reducer": lambda path: callbacks.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=1),
    "best": lambda path: callbacks.ModelCheckpoint(f"{path}/{{epoch}}.keras", save_best_only=True),
    "batches": lambda path: callbacks.ModelCheckpoint(f"{path}/{{epoch}}.keras", save_freq=5),
    "history": lambda path: callbacks.History(),
    "nan": lambda path: callbacks.TerminateOnNaN(),
}


def run(callback_list: CallbackList, model: FakeModel, epochs: range) -> None:
    for epoch in epochs:
        callback_list.on_epoch_begin(epoch)
        for batch in range(3):
            callback_list.on_train_batch_end(batch, {"loss": 1.0})
        model.weight = epoch + 1
        callback_list.on_epoch_end(epoch, {"val_loss": VALUES[epoch]})


def visible(callback, model: FakeModel):
    names = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter", "history", "epoch")
    return {n: getattr(callback, n) for n in names if hasattr(callback, n)}, model.stop_training


@pytest.mark.parametrize("stop", [1, 2, 4, 7])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_resumed_is_uninterrupted(make, stop, tmp_path):
    whole, model = make(tmp_path), FakeModel()
    reports = CallbackList([whole], model=model)
    reports.on_train_begin()
    run(reports, model, range(len(VALUES)))
    reports.on_train_end()

    first, then = make(tmp_path), make(tmp_path)
    there = FakeModel()
    before = CallbackList([first], model=there)
    before.on_train_begin()
    run(before, there, range(stop))
    stored = before.get_state()
    after = CallbackList([then], model=there)
    after.on_train_begin()
    after.set_state(stored)
    run(after, there, range(stop, len(VALUES)))
    after.on_train_end()

    np.testing.assert_equal(visible(then, there), visible(whole, model))
    assert there.done == model.done
    assert float(there.optimizer.learning_rate) == float(model.optimizer.learning_rate)


def test_state_is_data_and_a_copy():
    stopper, history = callbacks.EarlyStopping(), callbacks.History()
    reports = CallbackList([stopper, history], model=FakeModel())
    reports.on_train_begin()
    reports.on_epoch_end(0, {"val_loss": np.float32(0.5)})
    stored = reports.get_state()
    text = json.dumps(stored)
    reports.on_epoch_end(1, {"val_loss": 0.4})
    assert json.dumps(stored) == text
    assert [each["class_name"] for each in stored] == ["EarlyStopping", "History"]


def test_callbacks_of_one_class_are_told_apart_and_missing_ones_named():
    a, b = callbacks.EarlyStopping("loss"), callbacks.EarlyStopping("val_loss")
    a.best, b.best = 1.0, 2.0
    stored = CallbackList([a, b, callbacks.ReduceLROnPlateau()]).get_state()
    c, d = callbacks.EarlyStopping("loss"), callbacks.EarlyStopping("val_loss")
    with pytest.warns(
        UserWarning, match=r"a callback ReduceLROnPlateau\(.*\) which this one lacks"
    ):
        CallbackList([c, callbacks.History(), d]).set_state(stored)
    assert (c.best, d.best) == (1.0, 2.0)


def test_callbacks_are_told_apart_by_what_they_watch_and_write():
    """Left out, added and moved ones take nothing from each other."""
    stored = CallbackList(
        [
            saver := callbacks.ModelCheckpoint("before/best.keras", "val_loss"),
            callbacks.ModelCheckpoint("before/best.keras", "val_accuracy"),
            callbacks.EarlyStopping("loss"),
            other := callbacks.EarlyStopping("val_loss"),
        ]
    )
    saver.best, other.best = 1.0, 2.0
    mine = CallbackList(
        [
            loss := callbacks.EarlyStopping("accuracy"),
            val_loss := callbacks.EarlyStopping("val_loss"),
            again := callbacks.ModelCheckpoint("moved/best.keras", "val_loss"),
            another := callbacks.ModelCheckpoint("moved/last.keras", "val_loss"),
        ]
    )
    with pytest.warns(UserWarning, match="which this one lacks") as told:
        mine.set_state(stored.get_state())
    assert (loss.best, val_loss.best, again.best, another.best) == (None, 2.0, 1.0, None)
    assert ["'val_accuracy'" in str(each.message) for each in told] == [True, False]


def test_an_own_callback_says_what_it_remembers():
    class Count(callbacks.Callback):
        total = 0

        def get_state(self):
            return {"total": self.total}

        def set_state(self, state):
            self.total = state["total"]

    one, other = Count(), Count()
    one.total = 7
    CallbackList([other]).set_state(CallbackList([one]).get_state())
    assert other.total == 7


def test_what_was_stored_stays_when_training_goes_on():
    history, again = callbacks.History(), callbacks.History()
    reports = CallbackList([history], model=FakeModel())
    reports.on_train_begin()
    reports.on_epoch_end(0, {"loss": 0.5})
    stored = reports.get_state()
    text = json.dumps(stored)
    resumed = CallbackList([again], model=FakeModel())
    resumed.on_train_begin()
    resumed.set_state(stored)
    resumed.on_epoch_end(1, {"loss": 0.4})
    assert again.history["loss"] == [0.5, 0.4] and json.dumps(stored) == text
