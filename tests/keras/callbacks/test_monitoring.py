"""EarlyStopping, ReduceLROnPlateau and ModelCheckpoint, apart from the decisions compared with Keras in tests/parity."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from hornbeam.keras.callbacks import CallbackList, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from tests.keras.callbacks.fakes import FakeModel, train
from tests.tolerances import assert_close


def losses(*values):
    return [{"loss": 9.0, "val_loss": value} for value in values]


@pytest.mark.parametrize(
    ("monitor", "higher"),
    [
        *[
            (name, True)
            for name in (
                "accuracy",
                "val_acc",
                "out_sparse_categorical_accuracy",
                "auc_1",
                "val_recall",
            )
        ],
        *[
            (name, False)
            for name in (
                "loss",
                "val_out_loss",
                "mae",
                "mean_squared_error",
                "binary_crossentropy_2",
            )
        ],
    ],
)
def test_direction_is_known_from_the_name(monitor, higher):
    values = [0.5, 0.6, 0.7] if higher else [0.7, 0.6, 0.5]
    stopper = EarlyStopping(monitor)
    train(stopper, [{monitor: value} for value in values])
    assert stopper.best == values[-1] and stopper.wait == 0


def test_a_metric_of_the_model_knows_better_than_its_name():
    mine = SimpleNamespace(name="odd", _direction="up")
    compiled = SimpleNamespace(name="compile_metrics", metrics=[mine])
    stopper = EarlyStopping("val_odd", patience=1)
    train(stopper, [{"val_odd": value} for value in (1.0, 2.0, 3.0)], FakeModel((compiled,)))
    assert stopper.best == 3.0


def test_unknown_direction_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match=r"EarlyStopping received monitor='val_odd'.*mode='max'"):
        train(EarlyStopping("val_odd"), [{"val_odd": 1.0}])


def test_unknown_mode_falls_back_with_a_warning():
    with pytest.warns(UserWarning, match="mode 'lowest' is unknown, fallback to auto"):
        assert ReduceLROnPlateau(mode="lowest").mode == "auto"


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
def test_missing_metric_warns_once_and_names_those_that_are_there(make):
    with pytest.warns(UserWarning, match="`val_loss`, which is not available.*: loss") as caught:
        model = train(make(), [{"loss": 1.0}] * 3)
    assert len(caught) == 1
    assert not model.stop_training


def test_early_stopping_says_what_it_does(capsys):
    stopper = EarlyStopping(patience=1, verbose=1, restore_best_weights=True)
    model = train(stopper, losses(1.0, 2.0, 3.0))
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )
    assert (stopper.stopped_epoch, stopper.best_epoch, stopper.best) == (1, 0, 1.0)
    assert model.done == [("set_weights", 1)]


def test_a_stopper_can_be_used_again():
    stopper = EarlyStopping(patience=1)
    train(stopper, losses(1.0, 2.0))
    train(stopper, losses(5.0, 4.0))
    assert (stopper.stopped_epoch, stopper.best) == (0, 4.0)


NAN = math.nan
# Values of epochs -> the epoch of each improvement (from 0); the first value always is one.
WITH_NAN = [
    ([NAN, NAN, NAN], "min", [0]),
    ([NAN, 1.0, 2.0, 0.5], "min", [0, 1, 3]),
    ([NAN, 1.0, 2.0, 0.5], "max", [0, 1, 2]),
    ([3.0, NAN, NAN, 2.0, NAN, 1.0], "min", [0, 3, 5]),
    ([3.0, NAN, 4.0, NAN], "max", [0, 2]),
    ([math.inf, NAN, 1.0], "min", [0, 2]),
    ([np.float32(NAN), np.float32(NAN), np.float32(1.0)], "min", [0, 2]),
]
MONITORS = {
    "EarlyStopping": lambda **kw: EarlyStopping(patience=9, **kw),
    "EarlyStopping-baseline": lambda **kw: EarlyStopping(patience=9, baseline=NAN, **kw),
    "ReduceLROnPlateau": lambda **kw: ReduceLROnPlateau(min_delta=0, **kw),
    "ModelCheckpoint": lambda **kw: ModelCheckpoint("{epoch}.keras", save_best_only=True, **kw),
}


@pytest.mark.parametrize(("values", "mode", "better"), WITH_NAN, ids=str)
@pytest.mark.parametrize("make", MONITORS.values(), ids=MONITORS)
def test_nan_is_worse_than_any_number_and_no_better_than_nan(make, values, mode, better):
    callback, model = make(mode=mode), FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    found, before = [], None
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"val_loss": value + 0})  # a number of its own, for `is`
        if callback.best is not before:
            found.append(epoch)
        before = callback.best
    assert found == better


def test_early_stopping_ends_where_all_is_nan():
    values = [NAN] * 6
    stopper = EarlyStopping(patience=2)
    assert train(stopper, losses(*values)).stop_training
    assert stopper.stopped_epoch == 2


def test_early_stopping_restores_the_best_number_after_nan():
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    model = train(stopper, losses(3.0, 2.0, NAN, NAN, NAN))
    assert (stopper.stopped_epoch, model.done) == (3, [("set_weights", 2)])


def test_reduce_lr_says_what_it_does_and_logs_the_rate(capsys):
    logs = losses(1.0, 1.0)
    model = train(ReduceLROnPlateau(factor=0.5, patience=1, verbose=1), logs)
    rate = float(np.float32(0.1)) * 0.5
    assert (
        capsys.readouterr().out
        == f"\nEpoch 2: ReduceLROnPlateau reducing learning rate to {rate}.\n"
    )
    assert logs[1]["learning_rate"] == float(np.float32(0.1))
    assert_close(float(model.optimizer.learning_rate), 0.05, "rounded")


def test_reduce_lr_arguments():
    assert ReduceLROnPlateau(epsilon=0.5).min_delta == -0.5
    with pytest.raises(TypeError, match=r"no argument 'patiance'\. Did you mean 'patience'"):
        ReduceLROnPlateau(patiance=3)
    with pytest.raises(ValueError, match=r"factor >= 1\.0"):
        ReduceLROnPlateau(factor=1.0)


def test_reduce_lr_refuses_a_schedule():
    model = FakeModel()
    model.optimizer.learning_rate = 0.1  # as read from a schedule: nothing to assign to
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        train(ReduceLROnPlateau(patience=0), losses(1.0, 1.0), model)


def checkpoint(tmp_path, name="{epoch:02d}-{val_loss:.2f}.weights.h5", **arguments):
    return ModelCheckpoint(tmp_path / "new" / name, save_weights_only=True, **arguments)


def test_checkpoint_fills_in_the_path_and_makes_directories(tmp_path):
    model = train(checkpoint(tmp_path), losses(1.0, 0.123))
    names = ["01-1.00.weights.h5", "02-0.12.weights.h5"]
    assert model.done == [("save_weights", str(tmp_path / "new" / name)) for name in names]
    assert (tmp_path / "new").is_dir()


def test_checkpoint_says_what_it_does(tmp_path, capsys):
    train(checkpoint(tmp_path, "w.weights.h5", save_best_only=True, verbose=1), losses(1.0, 2.0))
    path = tmp_path / "new" / "w.weights.h5"
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 1.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        "\nEpoch 2: val_loss did not improve from 1.00000\n"
    )


def test_checkpoint_saves_again_after_a_first_nan(tmp_path):
    model = train(
        checkpoint(tmp_path, "{epoch}.weights.h5", save_best_only=True), losses(math.nan, 1.0, 2.0)
    )
    assert [path[-12:] for _, path in model.done] == ["1.weights.h5", "2.weights.h5"]


def test_checkpoint_without_its_metric_warns_once_and_saves(tmp_path):
    saver = checkpoint(tmp_path, "w.weights.h5", save_best_only=True)
    with pytest.warns(UserWarning, match="Available metrics are: loss") as caught:
        model = train(saver, [{"loss": 1.0}] * 3)
    assert len(caught) == 1 and len(model.done) == 3


def test_checkpoint_in_blocks_of_steps_saves_at_the_same_rate(tmp_path):
    saver = checkpoint(tmp_path, "{epoch}-{batch}.weights.h5", save_freq=4)
    model = FakeModel()
    saver.set_model(model)
    for epoch in range(2):
        saver.on_epoch_begin(epoch)
        for last_of_block in (1, 3, 5):
            saver.on_train_batch_end(last_of_block, {"loss": 1.0})
    assert [path.rpartition("/")[2] for _, path in model.done] == [
        "1-4.weights.h5",
        "2-2.weights.h5",
        "2-6.weights.h5",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "model"}, r"saves a model must end in `\.keras`\. Received: filepath=model"),
        ({"filepath": "w.keras", "save_weights_only": True}, r"must end in `\.weights\.h5`"),
        ({"filepath": "m.keras", "save_freq": "batch"}, "Unrecognized save_freq: 'batch'"),
        ({"filepath": "m.keras", "save_freq": 0}, "Unrecognized save_freq: 0"),
    ],
)
def test_checkpoint_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**arguments)


def test_checkpoint_path_with_an_unknown_name(tmp_path):
    with pytest.raises(
        KeyError, match=r"There is no 'accuracy'; available names are: loss, val_loss, epoch"
    ):
        train(checkpoint(tmp_path, "{accuracy}.weights.h5"), losses(1.0))


def test_whole_models_are_saved_with_save(tmp_path):
    path = tmp_path / "model.keras"
    assert train(ModelCheckpoint(path), losses(1.0)).done == [("save", str(path))]


def test_logs_may_come_straight_from_the_device(tmp_path):
    saver = checkpoint(tmp_path, save_best_only=True)
    model = FakeModel()
    callbacks = CallbackList([saver, EarlyStopping()], model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_end(0, {"val_loss": np.float32(1.0)})
    assert saver.best == 1.0 and len(model.done) == 1
