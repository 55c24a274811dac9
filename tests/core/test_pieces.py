"""A part of a file has the same CRC-32 in pieces, read by threads, as at once."""

import gzip
import io
import zlib

import numpy as np
import pytest

from hornbeam.core import pieces
from hornbeam.core.pieces import FileCrc, handle_of

DATA = np.random.default_rng(0).bytes(10_000)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces of 1,000 bytes, read 300 at a time."""
    monkeypatch.setattr(pieces, "PIECE", 1_000)
    monkeypatch.setattr(pieces, "_ROOM", 300)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("size", [0, 1, 299, 999, 1_000, 1_001, 5_300, 9_993])
@pytest.mark.parametrize("start", [0, 7])
def test_parts_of_any_size(path, start, size):
    with open(path, "rb") as stream:
        stream.seek(123)
        with FileCrc(stream.fileno(), start, size) as crc:
            assert crc.result() == zlib.crc32(DATA[start : start + size])
        assert stream.tell() == 123
        assert stream.read(5) == DATA[123:128]


def test_a_file_that_ends_too_soon(path):
    with (
        open(path, "rb") as stream,
        FileCrc(stream.fileno(), 7, len(DATA)) as crc,
        pytest.raises(ValueError, match="truncated"),
    ):
        crc.result()


def test_only_plain_files_have_a_handle_that_reads_their_bytes(path, tmp_path):
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(DATA))
    with open(path, "rb") as plain, gzip.open(packed) as unpacking:
        assert handle_of(plain) == plain.fileno()
        assert handle_of(unpacking) is None
        assert handle_of(io.BufferedReader(unpacking)) is None
    assert handle_of(io.BytesIO(DATA)) is None
