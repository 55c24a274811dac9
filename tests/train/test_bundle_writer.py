"""Checkpoints written over old ones: whatever call fails, and wherever the process dies, the old or the new one is whole."""

import contextlib
import os

import numpy as np
import pytest

from hornbeam.core import atomic
from hornbeam.train import bundle_writer
from hornbeam.train.bundle import Bundle, data_file, index_file
from hornbeam.train.bundle_writer import write_bundle

# The calls by which a file reaches the disk and its name.
CALLS = ("open", "fsync", "link", "replace", "unlink", "listdir")


class Died(BaseException):
    """The process is gone: nothing runs any more, cleaning up included."""


class Failing:
    """Lets call number `at` fail, and with `dies` every call after it."""

    def __init__(self, monkeypatch, at, dies):
        self.count, self.at, self.dies = 0, at, dies
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, call):
        def run(*args, **kwargs):
            self.count += 1
            if self.dies and self.count >= self.at:
                raise Died
            if self.count == self.at:
                raise OSError(5, "Input/output error")
            return call(*args, **kwargs)

        return run


def tensors(value, count=3):
    return [(f"t{i}", np.full(100 + value, value, "float32")) for i in range(count)]


def read(prefix):
    """Return the one value that all tensors have."""
    bundle = Bundle(prefix)
    (value,) = {float(x) for name in bundle for x in bundle.read(name)}
    return value


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("is_there", [False, True])
def test_whatever_call_fails(tmp_path, monkeypatch, dies, is_there):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # it takes long
    outcomes = []
    for at in range(1, 100):
        prefix = tmp_path / f"{at}" / "ckpt"
        prefix.parent.mkdir()
        if is_there:
            write_bundle(prefix, tensors(1))
        with monkeypatch.context() as patch:
            failing = Failing(patch, at, dies)
            with contextlib.suppress(OSError, Died):
                write_bundle(prefix, tensors(2))
        outcomes.append(read(prefix) if index_file(prefix).exists() else None)
        write_bundle(prefix, tensors(3, count=2))  # what was left behind is no obstacle
        assert read(prefix) == 3 and len(os.listdir(prefix.parent)) <= 2 + (dies and at < 99)
        if failing.count < at:
            break
    assert failing.count < at
    old = 1 if is_there else None
    assert set(outcomes) == {old, 2}
    assert outcomes == sorted(outcomes, key=[old, 2].index), "once the new one is there, it stays"


def test_files_have_their_usual_names(tmp_path):
    prefix = tmp_path / "ckpt"
    for value in (1, 2, 3):
        write_bundle(prefix, tensors(value))
        assert sorted(os.listdir(tmp_path)) == ["ckpt.data-00000-of-00001", "ckpt.index"]
    data_file(prefix, 2, 7).touch()
    data_file(tmp_path / "ckpt2").touch()
    write_bundle(prefix, tensors(4))
    assert not data_file(prefix, 2, 7).exists() and data_file(tmp_path / "ckpt2").exists()


def test_file_systems_without_links(tmp_path, monkeypatch):
    prefix = tmp_path / "ckpt"
    write_bundle(prefix, tensors(1))
    monkeypatch.setattr(bundle_writer, "_link", lambda old, new: False)
    for value, shards in ((2, 2), (3, 1), (4, 2)):
        write_bundle(prefix, tensors(value))
        assert read(prefix) == value
        assert sorted(os.listdir(tmp_path)) == [data_file(prefix, 0, shards).name, "ckpt.index"]


def test_an_error_in_the_middle_leaves_the_old_one(tmp_path):
    prefix = tmp_path / "ckpt"
    write_bundle(prefix, tensors(1))

    def breaking():
        yield from tensors(2)
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        write_bundle(prefix, breaking())
    assert read(prefix) == 1 and len(os.listdir(tmp_path)) == 2
    assert atomic.hidden_name("a") != atomic.hidden_name("a")
