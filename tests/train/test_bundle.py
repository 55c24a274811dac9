"""Tensors as TensorFlow stores them: read from a file that it made, written and read back, and every damage noticed."""

import io
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import varint
from hornbeam.train.bundle import Bundle, BundleWriter, data_file, index_file
from hornbeam.train.snappy import uncompressed
from hornbeam.train.table import read_table, write_table
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
    assert bundle.read("texts" + SUFFIX) == [b"a", b"", "é".encode() * 100]
    assert bundle.read("_CHECKPOINTABLE_OBJECT_GRAPH").startswith(b"\n")


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
        index_file(tmp_path / "x").write_bytes(flipped(whole, at))
        try:
            Bundle(tmp_path / "x")
        except ValueError as error:
            assert "x.index" in str(error)
        else:
            unnoticed.append(at)
    assert unnoticed and unnoticed[0] > len(whole) - 48 and unnoticed[-1] < len(whole) - 8


def test_every_flipped_byte_of_the_data_is_noticed(tmp_path):
    index_file(tmp_path / "x").write_bytes(index_file(MADE).read_bytes())
    whole = data_file(MADE).read_bytes()
    bundle = Bundle(MADE)
    for at in range(0, len(whole), 3):
        (name,) = (n for n, e in bundle.entries.items() if e.offset <= at < e.offset + e.size)
        data_file(tmp_path / "x").write_bytes(flipped(whole, at))
        with pytest.raises(ValueError, match=rf"x\.data.*{name[:20]}.*checksum"):
            Bundle(tmp_path / "x").read(name)


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


def test_tables_keep_order_and_refuse_another():
    entries = [
        (f"{i:05d}".encode() * (1 + i % 3), bytes([i % 256]) * (i % 50)) for i in range(2000)
    ]
    entries.sort()
    assert list(read_table(write_table(entries), "table")) == entries
    assert list(read_table(write_table([]), "table")) == []
    with pytest.raises(ValueError, match="must ascend"):
        write_table([(b"b", b""), (b"a", b"")])


def test_compressed_blocks():
    text = b"abcabcabcabcabcabc" + bytes(range(100))
    literal = (
        varint(len(text))
        + b"\x08abc"
        + bytes([(11 - 4) << 2 | 1, 3])
        + bytes([(4 - 1) << 2 | 2, 3, 0])
    )
    packed = literal + bytes([60 << 2, 99]) + bytes(range(100))
    assert uncompressed(memoryview(packed), 1000, "block") == text
    with pytest.raises(ValueError, match="at most 100 are read"):
        uncompressed(memoryview(packed), 100, "block")
    for cut in range(2, len(packed)):
        with pytest.raises(ValueError):
            uncompressed(memoryview(packed[:cut]), 1000, "block")
    with pytest.raises(ValueError, match="not there"):
        uncompressed(memoryview(varint(9) + b"\x00a\x05\x09"), 1000, "block")


def test_a_table_with_a_compressed_block():
    block = b"\x00\x01\x01kv" + b"\0\0\0\0\x01\0\0\0"
    packed = varint(len(block)) + bytes([(len(block) - 1) << 2]) + block + b"\x01"
    whole = bytearray(packed + mask(crc32c(packed)).to_bytes(4, "little"))
    plain = write_table(
        [(b"k", varint(0) + varint(len(packed) - 1))]
    )  # its first block is our index
    index = plain[: len(block) + 1]
    place = varint(len(whole)) + varint(len(index))
    whole += index + b"\0" + mask(crc32c(index + b"\0")).to_bytes(4, "little")
    whole += (place + place).ljust(40, b"\0") + plain[-8:]
    assert list(read_table(bytes(whole), "table")) == [(b"k", b"v")]
