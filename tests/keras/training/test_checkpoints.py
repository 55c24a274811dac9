"""Files that ModelCheckpoint and BackupAndRestore write while a model trains, in the background too; SIGTERM."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.snapshot import Snapshot
from hornbeam.keras.training.run import Run
from tests.keras.training.stopping import Stop, StopAfter
from tests.keras.training.test_resume import simple

ROOT = pathlib.Path(__file__).parents[3]
X, Y = np.ones((12, 2), "float32"), np.zeros(12, "float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


class Weights(keras.callbacks.Callback):
    """Keeps the weights after each step."""

    def __init__(self):
        super().__init__()
        self.after, self.momenta = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.after.append(self.model.get_weights())
        self.momenta.append([v.numpy() for v in self.model.optimizer.variables[2:]])


def fit(model, *callbacks, epochs=2, **options):
    return model.fit(
        X, Y, batch_size=4, epochs=epochs, callbacks=list(callbacks), verbose=0, **options
    )


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("ending", [".weights.h5", ".keras", ".h5"])
def test_files_hold_the_weights_of_their_step(model, tmp_path, ending, in_background):
    weights = Weights()
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / f"{{epoch}}-{{batch}}{ending}",
        save_weights_only=ending == ".weights.h5",
        save_freq=2,
        save_on_background=in_background,
    )
    fit(model, weights, saver)
    # Steps 2, 4 and 6 of two epochs of 3.
    assert sorted(os.listdir(tmp_path)) == [f"{name}{ending}" for name in ("1-2", "2-1", "2-3")]
    before = model.get_weights()
    for name, step in (("1-2", 1), ("2-1", 3), ("2-3", 5)):
        loaded = loads(model, tmp_path / f"{name}{ending}")
        np.testing.assert_equal(loaded.get_weights(), weights.after[step])
        momenta = [v.numpy() for v in loaded.optimizer.variables[2:]]
        np.testing.assert_equal(momenta, weights.momenta[step])
    model.set_weights(before)


def loads(model, path):
    if str(path).endswith(".weights.h5"):
        model.load_weights(path)
        return model
    return keras.models.load_model(path)


def test_training_goes_on_while_a_file_is_written(model, tmp_path, monkeypatch):
    """The file is held up until training has ended; it holds the weights of its moment all the same."""
    go_on, steps = threading.Event(), []
    real, weights = type(model).save_weights, Weights()

    def slow(self, *args, **kwargs):
        assert go_on.wait(60)
        real(self, *args, **kwargs)

    class Release(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)
            if len(steps) == 6:
                go_on.set()

    monkeypatch.setattr(type(model), "save_weights", slow)
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5",
        save_weights_only=True,
        save_freq=3,
        save_on_background=True,
    )
    # The second file would wait for the first one: it is due in the last step, after the release.
    fit(model, weights, Release(), saver)
    monkeypatch.undo()
    model.load_weights(tmp_path / "1.weights.h5")
    np.testing.assert_equal(model.get_weights(), weights.after[2])


@pytest.mark.parametrize("in_background", [False, True])
def test_a_failed_save_ends_training_and_leaves_the_old_file(
    model, tmp_path, monkeypatch, in_background
):
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, save_on_background=in_background
    )
    fit(model, saver, epochs=1)
    old = (tmp_path / "w.weights.h5").read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    counting = Weights()
    with monkeypatch.context() as patch:
        patch.setattr(type(model), "save_weights", full)
        with pytest.raises(OSError, match="No space left"):
            fit(model, saver, counting, epochs=50)
    assert len(counting.after) < 150
    assert os.listdir(tmp_path) == ["w.weights.h5"]
    assert (tmp_path / "w.weights.h5").read_bytes() == old
    fit(model, saver, epochs=1)


def test_a_failed_last_save_is_raised_at_the_end(model, tmp_path, monkeypatch):
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, save_on_background=True
    )
    (tmp_path / "w.weights.h5").mkdir()
    with pytest.raises(IsADirectoryError) as raised:
        fit(model, saver, epochs=1)
    assert "in the background" in raised.value.__notes__[0]


def test_a_failed_save_is_told_where_another_error_ends_training(model, tmp_path):
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, save_freq=1, save_on_background=True
    )
    (tmp_path / "w.weights.h5").mkdir()

    class Interrupt(keras.callbacks.Callback):
        _comes_last = True

        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="could not be saved"), pytest.raises(KeyboardInterrupt):
        fit(model, saver, Interrupt())
    assert not [t for t in threading.enumerate() if t.name == "hornbeam-save"]


def test_only_the_last_files_are_kept(model, tmp_path):
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch:02d}.weights.h5", save_weights_only=True, max_to_keep=2
    )
    (tmp_path / "00.weights.h5").write_bytes(b"of somebody else")
    fit(model, saver, epochs=5)
    names = ["00.weights.h5", "04.weights.h5", "05.weights.h5"]
    assert sorted(os.listdir(tmp_path)) == names
    state = saver._written
    again = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch:02d}.weights.h5", save_weights_only=True, max_to_keep=2
    )
    again._written = list(state)
    model.fit(X, Y, batch_size=4, epochs=6, initial_epoch=5, callbacks=[again], verbose=0)
    assert sorted(os.listdir(tmp_path)) == ["00.weights.h5", "05.weights.h5", "06.weights.h5"]


def test_all_files_of_a_set_are_removed(model, tmp_path):
    name = "{epoch}.weights.json"
    saver = keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=True, max_to_keep=1)
    for other in ("2_00000.weights.h5", "2-2_00001.weights.h5"):
        (tmp_path / other).write_bytes(b"of somebody else")
    fit(model, saver, epochs=4)
    assert sorted(os.listdir(tmp_path)) == [
        "2-2_00001.weights.h5",
        "2_00000.weights.h5",
        "4.weights.json",
        "4_00000.weights.h5",
    ]


class Held:
    """Holds the saves of models up until somebody lets them go on."""

    def __init__(self, model, patch, error=None):
        self.go_on, self.error, self.real = threading.Event(), error, type(model).save_weights
        patch.setattr(type(model), "save_weights", lambda *a, **k: self.save(*a, **k))

    def save(self, *arguments, **options):
        assert self.go_on.wait(60)
        if self.error is not None:
            raise self.error
        self.real(*arguments, **options)


@pytest.mark.parametrize("in_background", [False, True])
def test_a_checkpoint_waits_for_the_files_that_it_says_are_there(
    model, tmp_path, monkeypatch, in_background
):
    """A process that is killed in between would never write them."""
    held, found = Held(model, monkeypatch), []
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, save_on_background=True
    )
    backup = keras.callbacks.BackupAndRestore(
        tmp_path / "backup", delete_checkpoint=False, save_on_background=in_background
    )
    write = Run.capture

    def capture(*arguments):
        inner = write(*arguments)

        def look(*where):
            found.append((tmp_path / "w.weights.h5").exists())
            return inner(*where)

        threading.Timer(0.05, held.go_on.set).start()
        return look

    monkeypatch.setattr(Run, "capture", capture)
    fit(model, saver, backup, epochs=1)
    assert found == [True] and os.listdir(tmp_path / "backup") == ["state-000001"]


@pytest.mark.parametrize("in_background", [False, True])
def test_a_checkpoint_does_not_say_that_a_file_is_there_that_could_not_be_written(
    model, tmp_path, monkeypatch, in_background
):
    held = Held(model, monkeypatch, OSError(28, "No space left on device"))
    held.go_on.set()
    saver = keras.callbacks.ModelCheckpoint(
        tmp_path / "w.weights.h5", save_weights_only=True, save_on_background=True
    )
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_on_background=in_background)
    with pytest.raises(OSError, match="No space left"):
        fit(model, saver, backup, epochs=1)
    assert os.listdir(tmp_path / "backup") == []


@pytest.mark.parametrize(
    "name", ["cp-{epoch:04d}.ckpt", "cp-{epoch:04d}-{loss:.0f}", "w{epoch}.h5"]
)
def test_weights_in_the_formats_of_older_scripts(model, tmp_path, name):
    saver = keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=True, max_to_keep=1)
    fit(model, saver)
    (path,) = saver._written
    assert os.path.basename(path).startswith(("cp-0002", "w2"))
    assert not [each for each in os.listdir(tmp_path) if each.startswith(("cp-0001", "w1"))]
    expected = model.get_weights()
    fit(model, epochs=1)
    model.load_weights(path)
    for a, b in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_max_to_keep_is_a_number_of_files(wrong):
    with pytest.raises(ValueError, match="`max_to_keep` is a number of files"):
        keras.callbacks.ModelCheckpoint("m.keras", max_to_keep=wrong)


def test_the_best_value_survives(model, tmp_path):
    def saver():
        return keras.callbacks.ModelCheckpoint(
            tmp_path / "{epoch}.weights.h5",
            "score",
            save_weights_only=True,
            save_best_only=True,
            mode="max",
        )

    class Score(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [0.5, 0.9, 0.7, 1.0][epoch]

    def callbacks():
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        return [backup, Score(), saver()]

    fit(model, *callbacks(), epochs=2)
    fit(model, *callbacks(), epochs=4)
    assert sorted(os.listdir(tmp_path)) == [
        "1.weights.h5",
        "2.weights.h5",
        "4.weights.h5",
        "backup",
    ]


def test_a_checkpoint_in_the_background_is_that_of_its_moment(model, tmp_path):
    first = model.get_weights()

    def train(folder, *others, in_background):
        keras.utils.set_random_seed(3)
        model.set_weights(first)
        for variable in model.optimizer.variables[2:]:
            variable.assign(np.zeros(variable.shape, "float32"))
        backup = keras.callbacks.BackupAndRestore(
            tmp_path / folder, save_freq=1, save_on_background=in_background
        )
        fit(model, backup, *others)
        return model.get_weights()

    whole = train("a", in_background=False)
    np.testing.assert_equal(train("b", in_background=True), whole)
    for steps in range(1, 7):
        with pytest.raises(Stop):
            train(str(steps), StopAfter(steps), in_background=True)
        np.testing.assert_equal(train(str(steps), in_background=True), whole)


def test_a_snapshot_outlives_steps(model):
    snapshot = Snapshot(model.trainable_variables)
    before = model.get_weights()
    fit(model, epochs=1)
    assert not np.array_equal(before[0], model.get_weights()[0])
    with snapshot.scope():
        np.testing.assert_equal([v.numpy() for v in model.trainable_variables], before)
    snapshot.put_back()
    fit(model, epochs=1)
    snapshot.put_back()
    np.testing.assert_equal(model.get_weights(), before)


# SIGTERM


class Terminate(keras.callbacks.Callback):
    """Gets SIGTERM in the middle of training, as if from outside."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self._terminate)
        self.calls = 0

    def get_state(self):
        return {}

    def _terminate(self, *_):
        self.calls += 1
        if self.calls == 2:
            signal.raise_signal(signal.SIGTERM)


class Ended(Exception):
    """What the user's own handler raises."""


@pytest.fixture
def ending():
    def end(*_):
        raise Ended

    previous = signal.signal(signal.SIGTERM, end)
    yield end
    signal.signal(signal.SIGTERM, previous)


@pytest.mark.parametrize(
    "hook", ["on_train_batch_end", "on_test_batch_end", "on_epoch_end", "on_epoch_begin"]
)
def test_sigterm_saves_and_then_does_what_it_does(model, tmp_path, ending, hook):
    first = model.get_weights()

    def train(folder, *others):
        keras.utils.set_random_seed(3)
        model.set_weights(first)
        for variable in model.optimizer.variables[2:]:
            variable.assign(np.zeros(variable.shape, "float32"))
        backup = keras.callbacks.BackupAndRestore(
            tmp_path / folder, save_freq=False, save_before_preemption=True
        )
        history = fit(model, backup, *others, validation_data=(X, Y))
        assert signal.getsignal(signal.SIGTERM) is ending
        return model.get_weights(), history.history

    whole = train("whole")
    with pytest.raises(Ended):
        train("stopped", Terminate(hook))
    assert signal.getsignal(signal.SIGTERM) is ending
    assert os.listdir(tmp_path / "stopped") == ["state-000001"]
    np.testing.assert_equal(train("stopped"), whole)


def test_a_validation_that_sigterm_ends_begins_again_with_all_that_counts(tmp_path, ending):
    """Its random numbers, too, and what callbacks have seen of it."""

    class Noisy(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.random.normal(size=(4, 2)).astype("float32"), Y[:4]

    class Counts(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.batches = 0

        def on_test_batch_end(self, batch, logs=None):
            self.batches += 1

    def train(folder, *others):
        keras.utils.set_random_seed(3)
        model, counts = simple(), Counts()
        backup = keras.callbacks.BackupAndRestore(
            tmp_path / folder, save_freq=False, save_before_preemption=True
        )
        history = fit(model, backup, counts, *others, validation_data=Noisy())
        return model.get_weights(), history.history, counts.batches, np.random.random()

    whole = train("whole")
    with pytest.raises(Ended):
        train("stopped", Terminate("on_test_batch_end"))
    np.testing.assert_equal(train("stopped"), whole)


def test_steps_between_checkpoints_are_counted_on_after_sigterm(model, tmp_path, ending):
    backup = keras.callbacks.BackupAndRestore(tmp_path, save_freq=3, save_before_preemption=True)
    with pytest.raises(Ended):
        fit(model, backup, Terminate("on_train_batch_end"))
    assert os.listdir(tmp_path) == ["state-000001"]
    with pytest.raises(Stop):
        fit(model, backup, StopAfter(1))
    assert os.listdir(tmp_path) == ["state-000002"]


def test_sigterm_after_the_last_step_is_obeyed_too(model, tmp_path, ending):
    def terminate(logs):
        signal.raise_signal(signal.SIGTERM)

    backup = keras.callbacks.BackupAndRestore(tmp_path, save_before_preemption=True)
    with pytest.raises(Ended):
        fit(model, backup, keras.callbacks.LambdaCallback(on_train_end=terminate))


def test_sigterm_ends_a_process_after_the_save(model, tmp_path, monkeypatch):
    """The handler of before may end the process at once, with the thread that saves."""
    held, found, real = threading.Event(), [], Run.capture

    def capture(*arguments):
        write = real(*arguments)
        threading.Timer(0.05, held.set).start()
        return lambda *where: held.wait(60) and write(*where)

    monkeypatch.setattr(Run, "capture", capture)
    previous = signal.signal(signal.SIGTERM, lambda *_: found.append(os.listdir(tmp_path)))
    try:
        backup = keras.callbacks.BackupAndRestore(
            tmp_path, save_freq=False, save_before_preemption=True, save_on_background=True
        )
        fit(model, backup, Terminate("on_train_batch_end"))
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert len(found) == 1 and "state-000001" in found[0]


def test_sigterm_is_left_alone_unless_asked(model, tmp_path, ending):
    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert signal.getsignal(signal.SIGTERM) is ending

    fit(model, keras.callbacks.BackupAndRestore(tmp_path), Look())


def test_a_handler_that_goes_on_is_called_each_time(model, tmp_path):
    calls = []
    previous = signal.signal(signal.SIGTERM, lambda *_: calls.append(1))
    try:
        backup = keras.callbacks.BackupAndRestore(tmp_path, save_before_preemption=True)
        history = fit(model, backup, Terminate("on_train_batch_end"), Terminate("on_epoch_end"))
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert len(calls) == 2 and history.epoch == [0, 1]


def test_ctrl_c_while_a_save_is_waited_for_leaves_the_handler_of_before(tmp_path, ending):
    backup = keras.callbacks.BackupAndRestore(tmp_path, save_before_preemption=True)
    backup._notice.open()

    def interrupted():
        raise KeyboardInterrupt

    backup._background.close = interrupted
    with pytest.raises(KeyboardInterrupt):
        backup._close()
    assert signal.getsignal(signal.SIGTERM) is ending


def test_in_another_thread_it_is_said_that_signals_do_not_come(model, tmp_path):
    told = []

    def train():
        with pytest.warns(UserWarning, match="SIGTERM will not save") as found:
            fit(model, keras.callbacks.BackupAndRestore(tmp_path, save_before_preemption=True))
        told.extend(found)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert told


SCRIPT = """
import os, signal, sys
import numpy as np
from hornbeam import keras

class Tell(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        print("step", flush=True)

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
backup = keras.callbacks.BackupAndRestore(sys.argv[1], save_before_preemption=True)
model.fit(np.ones((8, 2)), np.ones(8), epochs=10**9, callbacks=[backup, Tell()], verbose=0)
"""


@pytest.mark.slow
def test_the_process_ends_by_sigterm_as_ever(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "backup")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline() == "step\n"
        child.send_signal(signal.SIGTERM)
        child.stdout.read()
        assert child.wait(60) == -signal.SIGTERM
    (name,) = set(os.listdir(tmp_path / "backup")) - {".lock"}
    assert name.startswith("state-")
