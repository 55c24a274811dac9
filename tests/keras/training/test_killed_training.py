"""A training that is killed again and again ends with the bits of one that was not."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]
KILLS = 50

# One process imports; its children train and are killed. Nothing is computed before the fork.
SCRIPT = """
import hashlib, json, os, random, signal, sys, time
import numpy as np
from hornbeam import keras

kills, folder = int(sys.argv[1]), sys.argv[2]

class Own(keras.callbacks.Callback):
    batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

class Begin(keras.callbacks.Callback):
    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def get_state(self):
        return {}

    def set_state(self, state):
        pass

    def on_train_batch_end(self, batch, logs=None):
        if self.pipe is not None:
            os.write(self.pipe, b"x")
            self.pipe = None

def train(backup_dir, pipe, in_background):
    keras.utils.set_random_seed(7)
    data = np.random.default_rng(0)
    x, y = data.normal(size=(1200, 4)).astype("float32"), data.integers(0, 2, 1200)
    model = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5), keras.layers.Dense(2, activation="softmax")])
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    backup = [] if backup_dir is None else [keras.callbacks.BackupAndRestore(
        backup_dir, save_freq=1, double_checkpoint=True, save_on_background=in_background)]
    own = Own()
    stopping = keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    history = model.fit(x, y, batch_size=4, epochs=3, validation_split=0.1, verbose=0,
                        callbacks=[Begin(pipe), stopping, own, *backup])
    digest = hashlib.sha256(b"".join(v.tobytes() for v in model.get_weights()))
    return [digest.hexdigest(), history.history, history.epoch, own.batches]

def child(backup_dir, result, kill_after=None, in_background=False):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open(result, "w") as file:
            json.dump(train(backup_dir, writer, in_background), file)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    os.close(reader)
    return status

draw = random.Random(1)
killed = 0
while killed < kills:
    status = child(f"{folder}/killed", f"{folder}/killed.json", draw.uniform(0, 0.05), killed % 2 == 1)
    if os.WIFEXITED(status):
        break
    killed += 1
assert child(f"{folder}/killed", f"{folder}/killed.json") == 0
assert child(None, f"{folder}/whole.json") == 0
print(json.dumps({"killed": killed, "left": sorted(os.listdir(folder))}))
"""


@pytest.mark.slow
def test_killed_many_times(tmp_path, tmp_path_factory):
    programs = tmp_path_factory.mktemp("programs")  # what one child compiled, the next ones load
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(KILLS), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "HORNBEAM_CACHE": str(programs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["left"] == ["killed.json", "whole.json"]
    assert told["killed"] > KILLS // 2  # a fast disk may end the training before the last kill
    killed, whole = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("killed", "whole"))
    assert killed == whole
    assert whole[2] == [0, 1, 2] and whole[3] == 810
