"""Saving that breaks off: the old file or the new one, never a mixture, and nothing left behind."""

import errno
import functools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from hornbeam import keras
from tests.faults import errors_of_threads, faults, files_limited

FILES = ["m.weights.h5", "m.safetensors", "m.keras", "model.h5", "weights.h5"]
SEED = 20260


def make():
    return keras.Sequential([keras.Input((30,)), keras.layers.Dense(70), keras.layers.Dense(2)])


def filled(model, value):
    model.set_weights([np.full(w.shape, value, w.dtype) for w in model.get_weights()])
    return model


def save(model, path):
    """Save in the format that the name asks for."""
    name = os.path.basename(path)
    if name == "folder":
        model.save(path, zipped=False)
    else:
        (model.save if name in ("m.keras", "model.h5") else model.save_weights)(path)


reader = functools.cache(make)


def saved_value(path):
    """Return the one value that all weights in the file have."""
    filled(reader(), -1).load_weights(path)
    (value,) = values_of(reader())
    return value


def values_of(model):
    return {float(each) for w in model.get_weights() for each in w.ravel()}


@pytest.mark.parametrize("name", [*FILES, "folder"])
def test_whatever_call_fails_the_file_is_the_old_or_the_new_one(name, tmp_path):
    model, path = make(), tmp_path / name
    save(filled(model, 1), path)
    before = sorted(os.listdir(tmp_path))
    filled(model, 2)
    for fault in faults():
        failed = False
        with fault:
            try:
                save(model, path)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                failed = True
        # No library between us and the disk may swallow an error: half a file would count as saved.
        assert failed == fault.fired
        assert saved_value(path) in (1, 2)
        assert sorted(os.listdir(tmp_path)) == before
    assert saved_value(path) == 2
    assert {"write", "fsync"} < set(fault.calls)


@pytest.mark.parametrize("name", [*FILES, "folder"])
def test_a_limit_of_the_system_leaves_the_old_file(name, tmp_path):
    model, path = make(), tmp_path / name
    save(filled(model, 1), path)
    before = sorted(os.listdir(tmp_path))
    with files_limited(5000), pytest.raises(OSError, match="a limit of the system forbids"):
        save(filled(model, 2), path)
    assert saved_value(path) == 1
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("name", FILES)
def test_a_folder_that_can_only_be_read_leaves_the_old_file(name, nobody):
    model, path = make(), nobody / name
    save(filled(model, 1), path)
    nobody.chmod(0o555)
    with pytest.raises(PermissionError, match=r"writing in the folder .* is not allowed"):
        save(filled(model, 2), path)
    assert saved_value(path) == 1


@pytest.mark.parametrize("name", FILES)
def test_two_threads_write_one_file(name, tmp_path):
    models, path = {value: filled(make(), value) for value in (1, 2)}, tmp_path / name
    assert errors_of_threads(lambda value: save(models[value], path), models) == []
    assert saved_value(path) in models
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_refused(name, tmp_path):
    model, path = make(), tmp_path / name
    save(filled(model, 1), path)
    data = path.read_bytes()
    lengths = np.random.default_rng(SEED).integers(0, len(data), 40).tolist()
    filled(model, -1)
    for length in {0, 1, 7, 8, 9, 47, 48, 511, 512, *lengths, len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=name):
            model.load_weights(path)
        assert values_of(model) == {-1}


def flipped(path, count):
    """Yield after each of `count` bits of the file has been changed, alone."""
    data = bytearray(path.read_bytes())
    for place in np.random.default_rng(SEED).integers(0, len(data), count).tolist():
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        yield
        data[place] ^= 1 << place % 8


@pytest.mark.parametrize("name", [*FILES, "folder/model.weights.h5"])
def test_a_flipped_bit_is_refused_by_name_or_all_is_loaded(name, tmp_path):
    """Damage is noticed before anything is assigned; what is not noticed changes no value."""
    model, path = make(), tmp_path / name.split("/")[0]
    save(filled(model, 1), path)
    outcomes = []
    for _ in flipped(tmp_path / name, 40):
        filled(model, 7)
        try:
            model.load_weights(path)
        except ValueError as error:
            assert name.split("/")[0] in str(error)
            outcomes.append("refused")
        outcomes += values_of(model)
    assert set(outcomes) <= {1, 7, "refused"}
    assert outcomes.count(7) == outcomes.count("refused") > 10


@pytest.mark.parametrize("place", ["in an array", "in the names"])
def test_a_damaged_archive_makes_no_model(place, tmp_path):
    path = tmp_path / "m.keras"
    save(filled(make(), 1), path)
    data = bytearray(path.read_bytes())
    what = np.full(5, 1, "float32").tobytes() if place == "in an array" else b"HEAP"
    found = data.index(what, 512)
    data[found] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"m\.keras is damaged: the checksum of model\.weights"):
        keras.models.load_model(path)


# Imports once, then forks a child for each line it gets, which saves again and again until it is killed.
KILLED = """
    import os, random, signal, sys, time
    import jax, h5py
    from hornbeam import keras
    from tests.keras.saving.test_crash import filled, make, save

    delays = random.Random(0)
    for number, _ in enumerate(sys.stdin):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            model, value = make(), number
            while True:
                save(filled(model, value), sys.argv[1])
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
@pytest.mark.parametrize("name, kills", [(n, 200 if n == "m.keras" else 50) for n in FILES])
def test_kills_in_saving_leave_whole_files_and_nothing_else(name, kills, tmp_path):
    """At most a hidden name of a kill between linking and renaming, which the next writer removes."""
    path = tmp_path / name
    save(filled(make(), -2), path)
    before, shares = sorted(os.listdir(tmp_path)), []
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:
        for number in range(kills):
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "killed\n"
            left = [each for each in os.listdir(tmp_path) if each not in before]
            assert len(left) <= 1 and all(each.endswith(".part") for each in left)
            shares.append(saved_value(path) - number)
        process.stdin.close()
    save(filled(make(), 0), path)
    assert sorted(os.listdir(tmp_path)) == before
    # Every child had saved once, and was killed at some place of a later attempt.
    assert set(shares) <= {0, 1 / 2, 1 / 4} and len(set(shares)) > 1
