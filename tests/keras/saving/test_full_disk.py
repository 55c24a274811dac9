"""A disk that is really full: every format says what to do, keeps the old file, and leaves nothing behind."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# A file system in memory of 3 MB, seen by this process alone. An old file of 1.4 MB and a new one do not fit.
MOUNT = 'mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" -c "$3" "$1"'
SAVES = """
    import os, sys
    import numpy as np
    from hornbeam import keras
    from hornbeam.keras.saving.state_folder import write_state
    import hornbeam as tf

    folder = sys.argv[1]
    model = keras.Sequential([keras.Input((600,)), keras.layers.Dense(600)])
    names = ["m.keras", "m.weights.h5", "m.h5", "m.safetensors", "m.weights.json", "unzipped", "ckpt", "run"]

    def save(name):
        path = os.path.join(folder, name)
        if name == "run":
            write_state(path, {v.path: v.numpy() for v in model.variables}, {}, 1)
        elif name == "ckpt":
            tf.train.Checkpoint(model=model).write(path)
        elif name == "unzipped":
            model.save(path, zipped=False)
        else:
            (model.save if name in ("m.keras", "m.h5") else model.save_weights)(path)

    def found():
        return {p: os.path.getsize(p) for f, _, n in os.walk(folder) for each in n if (p := os.path.join(f, each))}

    for name in names:
        save(name)
        before, filler = found(), os.path.join(folder, "filler")
        with open(filler, "wb") as file:
            file.write(bytes(500_000))
        try:
            save(name)
        except OSError as error:
            assert error.errno == 28 and folder in str(error) and "free some space" in str(error), error
        else:
            raise AssertionError(f"{name} was saved")
        os.unlink(filler)
        assert found() == before, (name, found(), before)
        model.predict_on_batch(np.zeros((1, 600)))
        for place in before:
            os.unlink(place)
        print(name, "done")
"""


def test_no_format_harms_anything_on_a_full_disk(tmp_path):
    command = ["unshare", "-rm", "sh", "-c", MOUNT, "sh", tmp_path, sys.executable]
    code = textwrap.dedent(SAVES)
    try:
        done = subprocess.run(
            [*command, code], capture_output=True, text=True, cwd=ROOT, check=False
        )
    except FileNotFoundError:
        pytest.skip("the system has no unshare")
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"the system lets nobody mount a file system: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("done") == 8
