"""Tensors as TensorFlow stores them: read from a file that it made, written and read back, and every damage noticed."""

import io
import os
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from hornbeam.train.bundle import Bundle, data_file, index_file
from hornbeam.train.bundle_writer import BundleWriter
from hornbeam.train.table import read_table
from tests.files.tensorflow.make import TYPES

MADE = Path(__file__).parents[1] / "files/tensorflow/types"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def write(prefix, tensors):
    with data_file(prefix).open("wb") as file:
        writer = BundleWriter(file)
        for name, value in tensors.items():
            writer.add(name, value)
    index_file(prefix).write_bytes(writer.index())


def dtype_of(name):
    return np.dtype(getattr(ml_dtypes, name, name))


@pytest.mark.parametrize("name", TYPES)
def test_numbers_that_tensorflow_wrote(name):
    read = Bundle(MADE).read(name + SUFFIX)
    assert read.dtype == dtype_of(name)
    np.testing.assert_array_equal(read, np.arange(6).reshape(2, 3).astype(dtype_of(name)))


def test_what_else_tensorflow_wrote():
    bundle = Bundle(MADE)
    assert bundle.read("step" + SUFFIX) == 7 and bundle.read("step" + SUFFIX).shape == ()
    assert bundle.read("empty" + SUFFIX).shape == (0, 3)
    assert bundle.read("text" + SUFFIX) == b"hello"
    assert bundle.read("texts" + SUFFIX).tolist() == [b"a", b"", "é".encode() * 100]
    assert bundle.read("_CHECKPOINTABLE_OBJECT_GRAPH").startswith(b"\n")


def test_tensors_that_tensorflow_wrote_in_parts():
    """Over two data files, with a start above 63, whose code has two bytes; and a partitioned variable of TensorFlow 1."""
    bundle = Bundle(MADE.with_name("parts"))
    matrix = bundle.read("matrix" + SUFFIX)
    np.testing.assert_array_equal(matrix, np.arange(200, dtype="float32").reshape(100, 2))
    assert [each[0] for each in bundle.entries["matrix" + SUFFIX].pieces] == [
        (0, 50),
        (50, 25),
        (75, 25),
    ]
    np.testing.assert_array_equal(bundle.read("vector" + SUFFIX), np.arange(5))
    assert bundle.read("text" + SUFFIX) == b"whole"
    old = Bundle(MADE.with_name("saver"))
    assert list(old) == ["scope/plain", "table"]
    np.testing.assert_array_equal(old.read("scope/plain"), [30, 31])
    np.testing.assert_array_equal(old.read("table")[:, 0], [0, 3, 6, 10, 13, 20, 23])


def test_written_as_tensorflow_writes(tmp_path):
    """The same data file, byte for byte; the same entries of the index but for the order that TensorFlow writes in."""
    bundle = Bundle(MADE)
    order = sorted(bundle, key=lambda name: bundle.entries[name].offset)
    write(tmp_path / "again", {name: bundle.read(name) for name in order})
    assert data_file(tmp_path / "again").read_bytes() == data_file(MADE).read_bytes()
    entries = [
        list(read_table(index_file(p).read_bytes(), "index")) for p in (MADE, tmp_path / "again")
    ]
    assert dict(entries[1]) == dict(entries[0])


def test_many_tensors(tmp_path):
    tensors = {f"layer_{i:04d}/kernel/{i % 7}": np.full(i % 5, i, "float32") for i in range(3000)}
    write(tmp_path / "many", tensors)
    bundle = Bundle(tmp_path / "many")
    assert list(bundle) == sorted(tensors)
    for name in list(tensors)[::97]:
        np.testing.assert_array_equal(bundle.read(name), tensors[name])


def test_names_that_are_not_there():
    with pytest.raises(KeyError, match=r"no tensor 'flaot32.*Did you mean 'float32"):
        Bundle(MADE).read("flaot32" + SUFFIX)
    with pytest.raises(FileNotFoundError):
        Bundle(MADE.with_name("other"))


def test_bad_tensors():
    writer = BundleWriter(io.BytesIO())
    writer.add("a", np.zeros(2))
    with pytest.raises(ValueError, match="'a' is written twice"):
        writer.add("a", np.zeros(2))
    with pytest.raises(TypeError, match="no type for object"):
        writer.add("b", np.array([None]))


def flipped(whole, at):
    return whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]


def test_every_flipped_byte_of_the_index_is_noticed(tmp_path):
    """All but the padding of the footer, on which nothing depends."""
    whole = index_file(MADE).read_bytes()
    unnoticed = []
    for at in range(len(whole)):
        try:
            list(read_table(flipped(whole, at), "x.index"))
        except ValueError as error:
            assert "x.index" in str(error)
        else:
            unnoticed.append(at)
    assert unnoticed and unnoticed[0] > len(whole) - 48 and unnoticed[-1] < len(whole) - 8
    index_file(tmp_path / "x").write_bytes(flipped(whole, 100))
    with pytest.raises(ValueError, match=r"x\.index is damaged: the block at byte 0"):
        Bundle(tmp_path / "x")


def test_every_flipped_byte_of_the_data_is_noticed(tmp_path):
    for path in (index_file, data_file):
        path(tmp_path / "x").write_bytes(path(MADE).read_bytes())
    whole = data_file(MADE).read_bytes()
    bundle = Bundle(tmp_path / "x")
    with data_file(tmp_path / "x").open("r+b", buffering=0) as file:
        for at in range(0, len(whole), 3):
            (name,) = (n for n, e in bundle.entries.items() if e.offset <= at < e.offset + e.size)
            os.pwrite(file.fileno(), bytes([whole[at] ^ 0x55]), at)
            with pytest.raises(ValueError, match=rf"x\.data.*{name[:20]}.*checksum"):
                bundle.read(name)
            os.pwrite(file.fileno(), whole[at : at + 1], at)
    assert all(
        np.array_equal(bundle.read(name), Bundle(MADE).read(name))
        for name in ("step" + SUFFIX, "text" + SUFFIX)
    )


@pytest.mark.parametrize("which", [index_file, data_file])
def test_every_cut_is_noticed(tmp_path, which):
    for path in (index_file, data_file):
        path(tmp_path / "x").write_bytes(path(MADE).read_bytes())
    whole = which(MADE).read_bytes()
    for length in range(0, len(whole), 41):
        which(tmp_path / "x").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"x\."):
            for name in (bundle := Bundle(tmp_path / "x")):
                bundle.read(name)


def test_a_tensor_beyond_the_end_of_its_file_is_told_before_room_for_it_is_made(tmp_path):
    for path in (index_file, data_file):
        path(tmp_path / "x").write_bytes(path(MADE).read_bytes())
    data_file(tmp_path / "x").write_bytes(b"")
    bundle = Bundle(tmp_path / "x")
    with pytest.raises(ValueError, match=r"ends at byte \d+ of 0; the file is cut"):
        bundle.read(next(iter(bundle)))
