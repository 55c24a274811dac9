"""LearningRateScheduler, LambdaCallback, TerminateOnNaN, CSVLogger."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from hornbeam.keras.callbacks import (
    CallbackList,
    CSVLogger,
    History,
    LambdaCallback,
    LearningRateScheduler,
    TerminateOnNaN,
)
from tests.keras.callbacks.fakes import FakeModel, train
from tests.tolerances import assert_close


def test_schedule_of_epoch_and_rate_sets_the_rate_and_logs_it(capsys):
    logs = [{"loss": 1.0}, {"loss": 0.5}]
    model = train(LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1), logs)
    assert_close(float(model.optimizer.learning_rate), 0.025, "rounded")
    assert_close([entry["learning_rate"] for entry in logs], [0.05, 0.025], "rounded")
    out = capsys.readouterr().out
    assert out.startswith("\nEpoch 1: LearningRateScheduler setting learning rate to 0.05")


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch: 0.5,
        lambda epoch, rate: np.float32(0.5),
        lambda epoch, rate: np.array(0.5),
        lambda epoch, initial=0.1: 0.5,
    ],
)
def test_schedules_of_all_kinds(schedule):
    model = train(LearningRateScheduler(schedule), [{}])
    assert float(model.optimizer.learning_rate) == 0.5


def test_schedule_that_returns_no_number():
    with pytest.raises(
        ValueError, match=r"must return the learning rate as a float\. Received: None"
    ):
        train(LearningRateScheduler(lambda epoch: None), [{}])


def test_an_error_inside_a_schedule_is_its_own():
    def schedule(epoch, rate):
        return rate + "a"

    with pytest.raises(TypeError, match="unsupported operand"):
        train(LearningRateScheduler(schedule), [{}])


def test_scheduled_rate_reaches_history():
    history = History()
    callbacks = CallbackList([LearningRateScheduler(lambda epoch: 0.5), history], model=FakeModel())
    callbacks.on_epoch_begin(0)
    callbacks.on_epoch_end(0, {"loss": 1.0})
    assert history.history == {"loss": [1.0], "learning_rate": [0.5]}


def test_lambda_callback_refuses_unknown_hooks():
    with pytest.raises(TypeError, match=r"no hook 'on_epoch_ends'\. Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match=r"needs a function for 'on_train_end'\. Received: 3"):
        LambdaCallback(on_train_end=3)


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_terminate_on_nan_stops_cleanly(loss, capsys):
    model = FakeModel()
    callbacks = CallbackList([TerminateOnNaN()], model=model)
    callbacks.on_train_batch_end(0, {"loss": 1.0, "accuracy": float("nan")})
    callbacks.on_train_batch_end(1, {"accuracy": 1.0})
    assert not model.stop_training
    callbacks.on_train_batch_end(2, {"loss": np.float32(loss)})
    assert model.stop_training
    assert capsys.readouterr().out == "\nBatch 2: Invalid loss, terminating training\n"


def test_terminate_on_nan_may_raise():
    with pytest.raises(
        RuntimeError, match=r"NaN or Inf loss encountered at batch 2\. Loss value: inf"
    ):
        TerminateOnNaN(raise_error=True).on_train_batch_end(2, {"loss": float("inf")})


def rows(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_csv_has_a_header_and_a_row_for_each_epoch(tmp_path):
    path = tmp_path / "log.csv"
    train(CSVLogger(path, separator=";"), [{"loss": 1.5, "accuracy": 0.5, "val_loss": 2.0}] * 2)
    assert rows(path, ";") == [
        ["epoch", "accuracy", "loss", "val_loss"],
        ["0", "0.5", "1.5", "2.0"],
        ["1", "0.5", "1.5", "2.0"],
    ]
    train(CSVLogger(path), [{"loss": 1.0, "val_loss": 1.0}])
    assert len(rows(path)) == 2  # written anew


def test_csv_rows_are_there_before_the_end(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    assert len(rows(path)) == 2
    CallbackList([logger]).close()  # an interrupted run: no on_train_end


def test_csv_keeps_room_for_validation(tmp_path):
    path = tmp_path / "log.csv"
    train(CSVLogger(path), [{"loss": 1.0}, {"loss": 0.5, "val_loss": 0.25}])
    assert rows(path) == [["epoch", "loss", "val_loss"], ["0", "1.0", "NA"], ["1", "0.5", "0.25"]]


def test_csv_append_goes_on_in_the_columns_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,val_loss,loss\r\n0,2.0,1.0\r\n1,1.5")  # died within a row
    with pytest.warns(UserWarning, match="leaves out accuracy") as caught:
        train(CSVLogger(path, append=True), [{"accuracy": 0.5, "loss": 0.5, "val_loss": 0.25}] * 2)
    assert len(caught) == 1
    assert rows(path) == [
        ["epoch", "val_loss", "loss"],
        ["0", "2.0", "1.0"],
        ["1", "1.5"],
        ["0", "0.25", "0.5"],
        ["1", "0.25", "0.5"],
    ]


def test_csv_append_starts_a_file_that_is_not_there_or_empty(tmp_path):
    for name in ("new.csv", "empty.csv"):
        path = tmp_path / name
        if name == "empty.csv":
            path.touch()
        train(CSVLogger(path, append=True), [{"loss": 1.0, "val_loss": 1.0}])
        train(CSVLogger(path, append=True), [{"loss": 0.5, "val_loss": 0.5}])
        assert rows(path) == [
            ["epoch", "loss", "val_loss"],
            ["0", "1.0", "1.0"],
            ["0", "0.5", "0.5"],
        ]


def test_csv_arrays(tmp_path):
    path = tmp_path / "log.csv"
    train(CSVLogger(path), [{"a": np.array([1.0, 2.0]), "val_b": [1, 2]}])
    assert rows(path)[1] == ["0", '"[1.0, 2.0]"', '"[1, 2]"']


def test_csv_goes_on_without_doubled_rows(tmp_path):
    path = tmp_path / "log.csv"
    whole = tmp_path / "whole.csv"
    rows = [{"loss": 1.0 / (epoch + 1)} for epoch in range(4)]
    train(CSVLogger(whole), rows)
    first = CSVLogger(path)
    first.on_train_begin()
    states = []
    for epoch, logs in enumerate(rows[:3]):
        first.on_epoch_begin(epoch)
        first.on_epoch_end(epoch, dict(logs))
        states.append(first.get_state())
    first._close()
    then = CSVLogger(
        path
    )  # the process ended after its third epoch, the checkpoint is that of the second
    then.on_train_begin()
    then.set_state(states[1])
    for epoch in (2, 3):
        then.on_epoch_begin(epoch)
        if epoch == 2:
            then.set_state(states[1])  # in mid-epoch, once more
        then.on_epoch_end(epoch, dict(rows[epoch]))
    then.on_train_end()
    assert path.read_text() == whole.read_text()


def test_csv_of_a_second_training_begins_anew(tmp_path):
    path, logger = tmp_path / "log.csv", CSVLogger(tmp_path / "log.csv")
    train(logger, [{"loss": 1.0}] * 3)
    logger._close()
    logger.on_epoch_end(9, {"loss": 1.0})
    assert len(path.read_text().splitlines()) == 4
    train(logger, [])
    assert path.read_text() == ""


def test_csv_of_another_training_is_not_cut(tmp_path):
    path, logger = tmp_path / "log.csv", CSVLogger(tmp_path / "log.csv")
    train(logger, [{"loss": 1.0}])
    state = logger.get_state()
    path.write_text("epoch,loss,val_loss\r\n" + "0,0.123456789,NA\r\n" * 9)
    before = path.read_text()
    again = CSVLogger(path, append=True)
    again.on_train_begin()
    again.set_state(state)
    with pytest.warns(UserWarning, match="is not the file that the stored training wrote"):
        again.on_epoch_begin(1)
    again.on_epoch_end(1, {"loss": 0.5})
    again.on_train_end()
    assert path.read_text() == before + "1,0.5,NA\n"
