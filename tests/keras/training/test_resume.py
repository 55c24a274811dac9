"""A training that was stopped after any step goes on as if it had not been, to the last bit."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.rng import make_seed
from hornbeam.keras.saving.state_folder import newest_state
from hornbeam.keras.training.state import variables_by_path
from tests.keras.training.stopping import Stop, StopAfter

layers = keras.layers
random = np.random.default_rng(0)
X = random.normal(size=(11, 4)).astype("float32")
Y = random.integers(0, 2, 11)
ROOT = pathlib.Path(__file__).parents[3]
STEPS = 4  # of an epoch: batches of 3


class Own(keras.callbacks.Callback):
    """Remembers what it has seen, without a word of it."""

    def __init__(self):
        super().__init__()
        self.batches, self.losses = 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])


def plain_model(optimizer="adam"):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.5, name="drop"),
            layers.Dense(2, activation="softmax", name="last"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def scheduled_model():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    return plain_model(keras.optimizers.SGD(rate, momentum=0.9, use_ema=True))


class Shuffling(keras.utils.PyDataset):
    """Shuffles itself after each epoch, as many do, with a generator of its own and with NumPy's."""

    def __init__(self):
        super().__init__()
        self.order, self.random = np.arange(12), np.random.default_rng(5)

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = self.order[index * 3 : index * 3 + 3] % len(X)
        return X[rows] + np.random.normal(size=(3, 4)).astype("float32"), Y[rows]

    def on_epoch_end(self):
        self.random.shuffle(self.order)


def generated():
    random = np.random.default_rng(3)
    while True:
        rows = random.integers(0, 11, 3)
        yield X[rows], Y[rows]


class Told:
    """An iterator that says where it stands."""

    def __init__(self):
        self.at, self.drawn = 0, 0

    def __iter__(self):
        return self

    def __next__(self):
        self.at, self.drawn = self.at + 1, self.drawn + 1
        rows = np.random.default_rng(self.at).integers(0, 11, 3)
        return X[rows], Y[rows]

    def get_state(self):
        return {"at": self.at}

    def set_state(self, state):
        self.at = state["at"]


def arrays():
    return {"x": X, "y": Y, "batch_size": 3}


CASES = {
    "arrays": (plain_model, arrays),
    "validation": (
        plain_model,
        lambda: {**arrays(), "validation_data": (X, Y), "validation_steps": 1},
    ),
    "class weights": (plain_model, lambda: {**arrays(), "class_weight": {0: 1.0, 1: 5.0}}),
    "schedule and averages": (scheduled_model, arrays),
    "PyDataset": (plain_model, lambda: {"x": Shuffling()}),
    "generator": (plain_model, lambda: {"x": generated(), "steps_per_epoch": STEPS}),
    "iterator that tells": (plain_model, lambda: {"x": Told(), "steps_per_epoch": STEPS}),
    "passes over epochs": (
        plain_model,
        lambda: {**arrays(), "batch_size": 2, "steps_per_epoch": STEPS},
    ),
}


QUICK = ("PyDataset", "generator", "passes over epochs")


def callbacks(scheduled):
    stopping = keras.callbacks.EarlyStopping(
        "loss", patience=1, min_delta=10.0, restore_best_weights=True
    )
    halving = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    return [stopping, *([] if scheduled else [halving]), Own()]


class Training:
    """One compiled model, set back to its first state for each training: what a new process begins with."""

    def __init__(self, make, data):
        self.make, self.data = make, data
        keras.utils.set_random_seed(7)
        self.model = make()
        self.model.optimizer.build(self.model.trainable_variables)
        self.first = {v: v.numpy() for v in variables_by_path(self.model).values()}

    def run(self, folder, *others, save_freq=1, epochs=2, **options):
        """Return all that a training leaves."""
        for variable, value in self.first.items():
            variable.assign(value)
        keras.utils.set_random_seed(7)
        each = callbacks(self.make is scheduled_model)
        options = {"delete_checkpoint": False, "save_freq": save_freq, **options}
        backup = keras.callbacks.BackupAndRestore(folder, **options)
        history = self.model.fit(
            **self.data(), epochs=epochs, callbacks=[backup, *each, *others], verbose=0
        )
        variables = {path: v.numpy() for path, v in variables_by_path(self.model).items()}
        own = each[-1]
        drawn = np.random.random(), make_seed()
        return variables, history.history, history.epoch, own.batches, own.losses, drawn


@pytest.mark.filterwarnings("ignore:The data, generator, do not say:UserWarning")
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)
def test_stopped_after_any_step(case, tmp_path):
    training = Training(*CASES[case])
    whole = training.run(tmp_path / "whole")
    assert whole[2] == [0, 1] and whole[3] == 2 * STEPS
    for steps in range(1, 2 * STEPS + 1):
        with pytest.raises(Stop):
            training.run(tmp_path / str(steps), StopAfter(steps), save_freq=steps)
        np.testing.assert_equal(training.run(tmp_path / str(steps), save_freq=steps), whole)


def deciding():
    """Callbacks that end the training below after a few epochs, and change its learning rate before."""
    return [
        keras.callbacks.EarlyStopping(
            "loss", patience=3, min_delta=0.05, restore_best_weights=True
        ),
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.5),
        keras.callbacks.TerminateOnNaN(),
    ]


def test_callbacks_that_decide_go_on(tmp_path):
    keras.utils.set_random_seed(7)
    model = plain_model("sgd")
    first = {v: v.numpy() for v in variables_by_path(model).values()}

    def train(folder, *others, save_freq):
        for variable, value in first.items():
            variable.assign(value)
        keras.utils.set_random_seed(7)
        backup = keras.callbacks.BackupAndRestore(tmp_path / folder, save_freq=save_freq)
        log = keras.callbacks.CSVLogger(tmp_path / f"{folder}.csv")
        history = model.fit(
            X, Y, epochs=30, verbose=0, callbacks=[*deciding(), backup, log, *others], batch_size=3
        )
        text = (tmp_path / f"{folder}.csv").read_text()
        return model.get_weights(), history.history, history.epoch, text

    whole = train("whole", save_freq="epoch")
    assert 3 < len(whole[2]) < 30 and len(set(whole[1]["learning_rate"])) > 2
    for save_freq, steps in (("epoch", 5), ("epoch", 13), (3, 7), (3, 14)):
        folder = f"{save_freq} {steps}"
        with pytest.raises(Stop):
            train(folder, StopAfter(steps), save_freq=save_freq)
        np.testing.assert_equal(train(folder, save_freq=save_freq), whole)


def test_the_weights_are_stored_once(tmp_path):
    class Looks(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.layer, self.model_too, self.metric = self.model.layers[0], self.model, metric

        def on_epoch_end(self, epoch, logs=None):
            self.metric.update_state(epoch)

    metric, again = keras.metrics.Sum(), keras.metrics.Sum()
    model = simple()
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(X[:, :2], X[:, 0], epochs=3, callbacks=[Looks(), backup], verbose=0)
    (stored,) = (s for s in newest_state(tmp_path).data["callbacks"] if s["class_name"] == "Looks")
    assert list(stored["attributes"]) == ["metric"]
    metric = again
    model.fit(X[:, :2], X[:, 0], epochs=4, callbacks=[Looks(), backup], verbose=0)
    assert float(again.result()) == 6.0


class ShufflingFirst(Shuffling):
    def on_epoch_begin(self):
        self.random.shuffle(self.order)

    def on_epoch_end(self):
        """Leave the order as it is."""


def test_a_data_set_that_shuffles_at_the_beginning_of_an_epoch(tmp_path):
    training = Training(plain_model, lambda: {"x": ShufflingFirst(), "shuffle": False})
    whole = training.run(tmp_path / "whole")
    with pytest.raises(Stop):
        training.run(tmp_path / "stopped", StopAfter(6))
    np.testing.assert_equal(training.run(tmp_path / "stopped"), whole)


SCRIPT = """
import hashlib, os, shutil, sys
import numpy as np
from hornbeam import keras
from hornbeam.core.rng import make_seed
from hornbeam.keras.training.state import variables_by_path
from tests.keras.training.stopping import Stop, StopAfter
from tests.keras.training.test_resume import X, Y, Shuffling, callbacks, plain_model

folder, copied = sys.argv[1:]

class Copy(keras.callbacks.Callback):
    _comes_last = True

    def on_train_batch_end(self, batch, logs=None):
        if batch == 2 and copied != "-" and not os.path.exists(copied):
            shutil.copytree(folder, copied)

keras.utils.set_random_seed(7)
model = plain_model()
backup = keras.callbacks.BackupAndRestore(folder, save_freq=1)
history = model.fit(Shuffling(), epochs=2, callbacks=[*callbacks(False), backup, Copy()], verbose=0)
digest = hashlib.sha256()
for path, variable in variables_by_path(model).items():
    digest.update(path.encode() + variable.numpy().tobytes())
print(digest.hexdigest(), history.history, os.path.exists(folder))
"""


def test_in_a_new_process(tmp_path):
    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    whole = run(tmp_path / "whole", tmp_path / "third")
    assert run(tmp_path / "third", "-") == whole and whole.endswith("False\n")


def simple(units=1, optimizer="sgd"):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(units, name="only")])
    model.compile(optimizer, "mse")
    return model


def fit(model, folder, epochs=1, **options):
    backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False, **options)
    return model.fit(X[:, :2], X[:, 0], epochs=epochs, callbacks=[backup], verbose=0)


def test_another_model_is_told_by_path(tmp_path):
    fit(simple(), tmp_path)
    other = simple(units=2, optimizer="adam")
    before = other.get_weights()
    with pytest.raises(ValueError, match="does not fit the model") as told:
        fit(other, tmp_path)
    for line in (
        "only/kernel (2, 2): variables/layers/dense/vars/kernel has shape (2, 1)",
        "optimizer/slots/layers/dense/vars/kernel/momentum is not in the file",
        "build and compile the model as it was",
    ):
        assert line in str(told.value)
    np.testing.assert_equal(other.get_weights(), before)
    other.fit(X[:, :2], X[:, :2], verbose=0)


def test_what_the_model_does_not_have_is_told_by_path(tmp_path):
    fit(simple(optimizer="adam"), tmp_path)
    line = "the file has variables/optimizer/slots/layers/dense/vars/kernel/velocity as well"
    with pytest.raises(ValueError, match=line):
        fit(simple(optimizer=keras.optimizers.SGD(momentum=0.5)), tmp_path)


def test_damaged_state_is_told_and_the_one_before_is_used(tmp_path):
    first = fit(simple(), tmp_path, epochs=3, double_checkpoint=True)
    newest = sorted(tmp_path.iterdir())[-1]
    (newest / "state.h5").write_bytes(b"nothing")
    with pytest.warns(UserWarning, match="goes on from the one before"):
        again = fit(simple(), tmp_path, epochs=3, double_checkpoint=True)
    assert again.history == first.history
    for each in tmp_path.iterdir():
        (each / "state.json").unlink()
    with pytest.raises(ValueError, match=r"No checkpoint in .* can be read"):
        fit(simple(), tmp_path, epochs=3)


def test_other_data_in_mid_epoch_are_told(tmp_path):
    model = simple()
    backup = keras.callbacks.BackupAndRestore(tmp_path, save_freq=1)
    with pytest.raises(Stop):
        model.fit(X[:, :2], X[:, 0], batch_size=3, callbacks=[backup, StopAfter(2)], verbose=0)
    with pytest.raises(ValueError, match="there are 2 steps and 2 batches"):
        model.fit(X[:, :2], X[:, 0], batch_size=6, callbacks=[backup], verbose=0)


def test_training_that_had_been_told_to_stop(tmp_path):
    class StopNow(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model, stop = simple(), StopNow()
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    for _ in range(2):
        history = model.fit(X[:, :2], X[:, 0], epochs=9, callbacks=[stop, backup], verbose=0)
        assert history.epoch == [0, 1]


def test_checkpoints_are_gone_when_training_has_ended(tmp_path):
    model = simple()
    model.fit(
        X[:, :2],
        X[:, 0],
        callbacks=keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        verbose=0,
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "wrong", [*({"save_freq": each} for each in ("batch", 0.5, 0, -1, True)), {"backup_dir": ""}]
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        keras.callbacks.BackupAndRestore(**{"backup_dir": "x", **wrong})


def test_a_file_in_the_place_of_the_folder_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("mine")
    model, counting = simple(), Own()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "file")
    with pytest.raises(NotADirectoryError, match="is the path of a file"):
        model.fit(X[:, :2], X[:, 0], callbacks=[counting, backup], verbose=0)
    assert counting.batches == 0 and (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may write anywhere
    model, counting = simple(), Own()
    backup = keras.callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(PermissionError, match="choose another folder"):
        model.fit(X[:, :2], X[:, 0], callbacks=[counting, backup], verbose=0)
    assert counting.batches == 0


def test_steps_are_counted_from_the_beginning_of_a_training(tmp_path):
    model = simple()
    backup = keras.callbacks.BackupAndRestore(tmp_path, save_freq=3, delete_checkpoint=False)
    with pytest.raises(Stop):
        model.fit(X[:, :2], X[:, 0], batch_size=3, callbacks=[backup, StopAfter(2)], verbose=0)
    with pytest.raises(Stop):
        model.fit(X[:, :2], X[:, 0], batch_size=3, callbacks=[backup, StopAfter(2)], verbose=0)
    assert not list(tmp_path.iterdir())


def test_two_trainings_do_not_share_a_folder(tmp_path):
    class Inner(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with pytest.raises(OSError, match="Another training"):
                fit(simple(), tmp_path)

    model = simple()
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(X[:, :2], X[:, 0], callbacks=[Inner(), backup], verbose=0)
    fit(simple(), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["state-000001"]


def test_outside_of_fit(tmp_path):
    model = simple()
    backup = keras.callbacks.BackupAndRestore(tmp_path)
    backup.set_model(model)
    with pytest.raises(ValueError, match="works in `fit`"):
        backup.on_train_begin()
