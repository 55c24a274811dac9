"""Saving that breaks off: the old file or the new one, never a mixture, and nothing left behind."""

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from tests.faults import faults

FILES = ["m.weights.h5"]
SEED = 20260


def make():
    return keras.Sequential([keras.Input((30,)), keras.layers.Dense(70), keras.layers.Dense(2)])


def filled(model, value):
    model.set_weights([np.full(w.shape, value, w.dtype) for w in model.get_weights()])
    return model


def saved_value(path):
    """Return the one value that all weights in the file have."""
    model = filled(make(), -1)
    model.load_weights(path)
    (value,) = {float(each) for w in model.get_weights() for each in w.ravel()}
    return value


@pytest.mark.parametrize("name", FILES)
def test_whatever_call_fails_the_file_is_the_old_or_the_new_one(name, tmp_path):
    model, path, errors = make(), tmp_path / name, []
    filled(model, 1).save_weights(path)
    before = sorted(os.listdir(tmp_path))
    filled(model, 2)
    for fault in faults():
        with fault:
            try:
                model.save_weights(path)
            except OSError as error:
                errors.append(error)
        assert saved_value(path) in (1, 2)
        assert sorted(os.listdir(tmp_path)) == before
    assert saved_value(path) == 2
    assert {error.errno for error in errors} == {errno.ENOSPC}
    assert {"write", "fsync", "link", "replace"} <= set(fault.calls)


@pytest.mark.parametrize("name", FILES)
def test_no_fault_of_a_disk_goes_unnoticed(name, tmp_path):
    """A library between us and the file must not swallow an error, or a half written file would count as saved."""
    model = filled(make(), 1)
    for fault in faults(errno.EIO):
        with fault:
            try:
                model.save_weights(tmp_path / name)
            except OSError:
                continue
        assert not fault.fired


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_refused_and_a_flipped_one_refused_or_equal(name, tmp_path):
    """What a damaged file holds must not get into the model in part; flipped numbers are `hornbeam check`'s to find."""
    model, path = make(), tmp_path / name
    filled(model, 1).save_weights(path)
    data = path.read_bytes()
    generator = np.random.default_rng(SEED)
    filled(model, -1)
    for length in {
        0,
        1,
        7,
        8,
        9,
        47,
        48,
        *generator.integers(0, len(data), 40).tolist(),
        len(data) - 1,
    }:
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=name):
            model.load_weights(path)
        assert {float(w.ravel()[0]) for w in model.get_weights()} == {-1}


# Imports once, then forks a child for each line it gets, which saves again and again until it is killed.
KILLED = """
    import os, random, signal, sys, time
    import jax, h5py
    from hornbeam import keras
    from tests.keras.saving.test_crash import filled, make

    delays = random.Random(0)
    for number, _ in enumerate(sys.stdin):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            model, value = make(), number
            while True:
                filled(model, value).save_weights(sys.argv[1])
                os.write(writing, b"x") if value == number else None
                value = value + 1 / 2 if value == number else number + 1 / 4
        os.read(reading, 1)
        time.sleep(delays.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading), os.close(writing)
        print("killed", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_200_kills_in_saving_leave_whole_files_and_nothing_else(name, tmp_path):
    path = tmp_path / name
    filled(make(), -2).save_weights(path)
    before, shares = sorted(os.listdir(tmp_path)), []
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        for number in range(200):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "killed\n"
            assert sorted(os.listdir(tmp_path)) == before
            shares.append(saved_value(path) - number)
        process.stdin.close()
    # Every child had saved once, and many were killed in a later attempt.
    assert set(shares) == {0, 1 / 2, 1 / 4}
