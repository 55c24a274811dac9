"""The same logs to Hornbeam's callbacks and to Keras's: the same decisions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from hornbeam.keras import callbacks as ours
from tests.keras.callbacks.fakes import FakeModel, train

theirs = keras.callbacks

# Keras's Variable has no `copy` argument in __array__, of which NumPy complains.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEQUENCES = {
    "falls": [1.0, 0.9, 0.8, 0.7, 0.6, 0.5],
    "rises": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    "flat": [1.0] * 9,
    "small_steps": [1.0, 0.99995, 0.9999, 0.95, 0.9499, 0.9, 0.91, 0.9, 0.89],
    **{f"noise_{seed}": list(np.random.default_rng(seed).random(16).round(2)) for seed in range(4)},
}
sequences = pytest.mark.parametrize("values", SEQUENCES.values(), ids=SEQUENCES.keys())


class KerasModel(FakeModel):
    """The fake with an optimizer of Keras, for Keras's callbacks."""

    def __init__(self, **arguments: Any):
        super().__init__(**arguments)
        self.optimizer = keras.optimizers.SGD(0.1)


def both(name: str, logs: list[dict[str, Any]], batches: int = 0, **arguments: Any):
    """Callback and model of each library after the same training, and the logs they left."""
    result = []
    for library, model in ((ours, FakeModel()), (theirs, KerasModel())):
        callback = getattr(library, name)(**arguments)
        own_logs = [dict(entry) for entry in logs]
        train(callback, own_logs, model, batches)
        result.append((callback, model, own_logs))
    return result


def logs_of(monitor: str, values: list[float]) -> list[dict[str, float]]:
    return [{monitor: value} for value in values]


STOPPERS = [
    {"patience": 0},
    {"patience": 2},
    {"patience": 2, "mode": "max"},
    {"patience": 1, "min_delta": 0.1},
    {"patience": 1, "min_delta": -0.1, "mode": "max"},
    {"patience": 2, "baseline": 0.5},
    {"patience": 0, "baseline": 0.5},
    {"patience": 3, "baseline": 0.01, "restore_best_weights": True},
    {"patience": 2, "start_from_epoch": 3, "restore_best_weights": True},
    {"patience": 50, "restore_best_weights": True},
    {"patience": 1, "start_from_epoch": 50, "restore_best_weights": True},
]


@sequences
@pytest.mark.parametrize("arguments", STOPPERS, ids=str)
def test_early_stopping(values, arguments, capsys):
    (a, model_a, _), (b, model_b, _) = both(
        "EarlyStopping", logs_of("val_loss", values), verbose=1, **arguments
    )
    for name in ("best", "best_epoch", "wait", "stopped_epoch", "best_weights"):
        assert getattr(a, name) == getattr(b, name), name
    assert model_a.stop_training == model_b.stop_training
    assert model_a.done == model_b.done
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


REDUCERS = [
    {"patience": 0},
    {"patience": 1, "factor": 0.5},
    {"patience": 2, "factor": 0.5, "mode": "max"},
    {"patience": 1, "factor": 0.5, "cooldown": 2},
    {"patience": 2, "factor": 0.5, "cooldown": 1},
    {"patience": 0, "min_lr": 0.005},
    {"patience": 1, "factor": 0.3, "min_delta": 0.2},
]


@sequences
@pytest.mark.parametrize("arguments", REDUCERS, ids=str)
def test_reduce_lr_on_plateau(values, arguments):
    (a, model_a, logs_a), (b, model_b, logs_b) = both(
        "ReduceLROnPlateau", logs_of("val_loss", values), **arguments
    )
    for name in ("best", "wait", "cooldown_counter"):
        assert getattr(a, name) == getattr(b, name), name
    assert logs_a == logs_b
    assert float(model_a.optimizer.learning_rate) == float(model_b.optimizer.learning_rate)


SAVERS = [
    {},
    {"save_weights_only": True},
    {"save_best_only": True},
    {"save_best_only": True, "mode": "max"},
    {"save_best_only": True, "initial_value_threshold": 0.5},
    {"save_weights_only": True, "save_freq": 3},
    {"save_freq": 5},
    {"save_freq": 4, "save_best_only": True, "monitor": "loss"},
]


@sequences
@pytest.mark.parametrize("arguments", SAVERS, ids=str)
def test_model_checkpoint(values, arguments, tmp_path, capsys):
    name = "{epoch:02d}" if "save_freq" in arguments else "{epoch:02d}-{val_loss:.3f}"
    ending = "weights.h5" if "save_weights_only" in arguments else "keras"
    (a, model_a, _), (b, model_b, _) = both(
        "ModelCheckpoint",
        logs_of("val_loss", values),
        batches=4,
        filepath=str(tmp_path / f"{name}.{ending}"),
        verbose=1,
        **arguments,
    )
    assert model_a.done == model_b.done
    assert a.best == b.best
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.7, lambda epoch: 0.1 / (epoch + 1)]
)
def test_learning_rate_scheduler(schedule, capsys):
    (_, model_a, logs_a), (_, model_b, logs_b) = both(
        "LearningRateScheduler", logs_of("loss", [1.0] * 4), schedule=schedule, verbose=1
    )
    assert logs_a == logs_b
    assert float(model_a.optimizer.learning_rate) == float(model_b.optimizer.learning_rate)
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]


def test_history():
    logs = [{"accuracy": 0.5, "loss": 1.0}, {"accuracy": 0.6, "loss": 0.5, "val_loss": 0.7}]
    (a, _, _), (b, _, _) = both("History", logs)
    assert a.history == b.history
    assert a.epoch == b.epoch


@pytest.mark.parametrize(
    "logs",
    [
        [{"loss": 1.5, "accuracy": 0.25, "val_loss": 2.0}] * 2,
        [{"loss": 1.0, "accuracy": 1.0}, {"loss": 0.5, "accuracy": 1.0, "val_loss": 0.1}],
        [{"loss": 1.0, "array": np.array([1.0, 2.0]), "val_list": [1, 2]}],
    ],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_logger(logs, separator, tmp_path):
    texts = []
    for library in (ours, theirs):
        path = tmp_path / library.__name__
        train(library.CSVLogger(str(path), separator=separator), [dict(entry) for entry in logs])
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


def test_hooks_and_their_arguments():
    hooks = {name for name in dir(theirs.Callback) if not name.startswith("_")}
    assert hooks == {name for name in dir(ours.Callback) if not name.startswith("_")}


def test_order_of_logs_and_default_callbacks():
    seen: list[list[str]] = []
    for library in (ours, theirs):
        spy = library.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(list(logs)))
        callbacks = library.CallbackList([spy], add_history=True, model=FakeModel(), epochs=1)
        callbacks.on_train_begin()
        callbacks.on_epoch_begin(0)
        callbacks.on_epoch_end(0, {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "mae": 0.1})
    assert seen[0] == seen[1]
