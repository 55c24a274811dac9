"""Programs are found on disk by the next process; what does not load is replaced without a word."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from hornbeam.core import compilation_cache

SCRIPT = """
import collections, jax
from hornbeam.core import compilation_cache
compilation_cache._WORTH_KEEPING = 0
counts = collections.Counter()
jax.monitoring.register_event_listener(lambda name, **_: counts.update([name.split("/")[-1]]))
{code}
print(compilation_cache.open_cache(), counts["cache_hits"], counts["cache_misses"])
"""
PRODUCT = """
compilation_cache.open_cache()
jax.jit(lambda x: (x @ x.T).sum())(jax.numpy.ones((8, 8))).block_until_ready()
"""
# Whole batches and a smaller last one.
TRAINING = """
import numpy as np
from hornbeam import keras
layers = keras.layers
network = [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
model = keras.Sequential([keras.Input((8, 8, 2)), *network, layers.Dense(3)])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(np.ones((20, 8, 8, 2), "float32"), np.ones(20, "int32"), batch_size=8, verbose=0)
"""


def run(cache, code):
    """Where the programs are kept, how many of them were found there, and how many were not."""
    environment = {**os.environ, "HORNBEAM_CACHE": str(cache)}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(code=code)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    place, hits, misses = result.stdout.split()
    return place, int(hits), int(misses)


def start(cache):
    place, hits, _ = run(cache, PRODUCT)
    return place, hits > 0


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder in which one process has kept its programs, and a copy of it."""
    folder, copy = (tmp_path_factory.mktemp("programs") / name for name in ("cache", "copy"))
    _, hit = start(folder)
    assert not hit
    shutil.copytree(folder, copy)
    return folder, copy


@pytest.fixture
def place(kept):
    """That folder as the process left it, and the place in it where the programs are: its name belongs to their keys."""
    folder, copy = kept
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    (programs,) = {entry.parent for entry in folder.rglob("*-cache")}
    return folder, str(programs)


def test_the_second_process_does_not_compile(place):
    cache, folder = place
    assert start(cache) == (folder, True)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_the_second_training_does_not_compile(tmp_path):
    place, hits, misses = run(tmp_path, TRAINING)
    assert hits == 0 and misses >= 2
    assert run(tmp_path, TRAINING) == (place, misses, 0)


def test_a_broken_entry_is_replaced_silently(place):
    cache, folder = place
    entries = [name for name in os.listdir(folder) if name.endswith("-cache")]
    for name in entries:
        path = os.path.join(folder, name)
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
    assert start(cache) == (folder, False)
    assert start(cache) == (folder, True)


def test_an_entry_cut_off_by_a_crash_is_replaced(place):
    """It has no checksum, and nobody is writing it any more."""
    cache, folder = place
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(".crc"):
            os.remove(path)
        else:
            with open(path, "r+b") as file:
                file.truncate(7)
            os.utime(path, (0, 0))
    assert start(cache) == (folder, False)
    assert start(cache) == (folder, True)


def test_it_can_be_switched_off(tmp_path):
    assert start("0") == ("None", False)


def test_a_place_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert start(tmp_path / "file") == ("None", False)


def test_the_oldest_entries_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "_LIMIT", 250)
    for age in range(4):
        path = tmp_path / f"{age}-cache"
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    compilation_cache.seal(tmp_path)
    compilation_cache._sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.glob("*-cache")) == ["0-cache", "1-cache"]
    assert len(list(tmp_path.glob("*.crc"))) == 2


def test_a_place_of_somebody_elses_is_not_used(tmp_path):
    """Entries are machine code: whoever may write them decides what runs here."""
    place, *_ = run(tmp_path, "import os; os.getuid = lambda: 54321")
    assert place == "None"
