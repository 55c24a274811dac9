"""Files that go to the disk while they are written hold what was written, and their hashes are those of their bytes."""

import errno
import hashlib
import io
import itertools
import os
import threading
import zlib

import numpy as np
import pytest

from hornbeam.core import pieces, steady
from hornbeam.core.pieces import joined_crc, sha256_of_pieces
from hornbeam.core.steady import digest_of, hash_from, steady_open

PIECE, START = 1000, 512
DATA = np.random.default_rng(0).bytes(20_000)


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    """Windows of two pieces of 1,000 bytes, and no buffer that holds a window back."""
    for module in (pieces, steady):
        monkeypatch.setattr(module, "PIECE", PIECE)
    monkeypatch.setattr(steady, "WINDOW", 2 * PIECE)
    monkeypatch.setattr(steady, "BUFFER", 100)


@pytest.fixture(params=["in the meantime", "at the end"])
def when(request, monkeypatch):
    """Windows are settled while others are written, or, as on systems that can't, none is."""
    monkeypatch.setattr(steady, "_CAN_SETTLE", request.param == "in the meantime")
    return request.param


def written_in_order(file, data):
    for begin in range(0, len(data), 700):
        file.write(data[begin : begin + 700])


def written_backwards(file, data):
    for begin in reversed(range(0, len(data), 700)):
        file.seek(begin)
        file.write(data[begin : begin + 700])


def written_twice(file, data):
    written_in_order(file, bytes(len(data)))
    for begin in (0, 5_100, 9_999, 14_000):  # within a piece, and over borders
        file.seek(begin)
        file.write(data[begin : begin + 800])
    written_backwards(file, data)


def cut_and_written_again(file, data):
    written_in_order(file, bytes(len(data)))
    file.truncate(min(3_300, len(data)))
    file.seek(0)
    written_in_order(file, data)


def cut_at_the_end(file, data):
    written_in_order(file, data + DATA)
    file.truncate(len(data))


ORDERS = [
    written_in_order,
    written_backwards,
    written_twice,
    cut_and_written_again,
    cut_at_the_end,
]


@pytest.mark.parametrize("write", ORDERS)
@pytest.mark.parametrize("size", [START + 1, START + PIECE, 9_000, len(DATA)])
@pytest.mark.usefixtures("when")
def test_bytes_and_hashes(tmp_path, write, size):
    path, data = tmp_path / "a", DATA[:size]
    with steady_open(path) as file:
        hash_from(file, START)
        write(file, data)
        digest = digest_of(file)
    assert path.read_bytes() == data
    assert digest.size == size - START
    assert digest.crc == zlib.crc32(data[START:])
    assert digest.sha256 == sha256_of_pieces(io.BytesIO(data[START:]))


def test_a_hash_is_that_of_the_hashes_of_pieces():
    each = [hashlib.sha256(DATA[i : i + PIECE]).digest() for i in range(0, len(DATA), PIECE)]
    assert sha256_of_pieces(io.BytesIO(DATA)) == hashlib.sha256(b"".join(each)).hexdigest()
    assert sha256_of_pieces(io.BytesIO()) == hashlib.sha256().hexdigest()


@pytest.mark.parametrize("size", [0, 1, 7, 4096, 19_999])
def test_joined_checksums(size):
    first, second = DATA[: len(DATA) - size], DATA[len(DATA) - size :]
    assert joined_crc(zlib.crc32(first), zlib.crc32(second), size) == zlib.crc32(DATA)


def test_an_empty_file(tmp_path):
    with steady_open(tmp_path / "a") as file:
        hash_from(file, START)
        assert digest_of(file) == (0, 0, hashlib.sha256().hexdigest())


@pytest.mark.parametrize("name", ["fdatasync", "posix_fadvise"])
@pytest.mark.parametrize("written", [2 * PIECE, len(DATA)])
def test_an_error_of_the_disk_is_raised(tmp_path, monkeypatch, name, written):
    """By a later write, or when the file is closed; no thread stays."""

    def failing(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, name, failing)
    with pytest.raises(OSError, match="Input/output"), steady_open(tmp_path / "a") as file:
        written_in_order(file, DATA[:written])
        file.flush()
    assert not [each for each in threading.enumerate() if each.name.startswith("hornbeam-write")]


def test_an_error_of_a_hash_is_raised(tmp_path, monkeypatch):
    def failing(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(OSError, match="Input/output"), steady_open(tmp_path / "a") as file:
        hash_from(file)
        written_in_order(file, DATA)


def test_the_handle_stays_open_until_no_thread_uses_it(tmp_path, monkeypatch):
    """Its number could belong to another file a moment later; so it is when an earlier window has failed."""
    begun, go_on, handles = threading.Event(), threading.Event(), []
    calls = itertools.count()

    def waiting(handle):
        if next(calls) == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        begun.set()
        assert go_on.wait(10)
        handles.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fdatasync", waiting)
    file = steady_open(tmp_path / "a")
    number = os.fstat(file.fileno()).st_ino
    written_in_order(file, DATA[: 4 * PIECE + 500])
    assert begun.wait(10)
    errors = []

    def close():
        try:
            file.close()
        except OSError as error:
            errors.append(error.errno)

    closing = threading.Thread(target=close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    go_on.set()
    closing.join()
    assert handles == [number] and errors == [errno.EIO] and file.raw.closed


def test_few_windows_are_on_their_way_at_once(tmp_path, monkeypatch):
    """A slow disk slows the writer; memory does not grow."""
    go_on, settled = threading.Event(), []

    def waiting(handle):
        assert go_on.wait(10)
        settled.append(handle)

    monkeypatch.setattr(os, "fdatasync", waiting)
    file = steady_open(tmp_path / "a")
    writer = threading.Thread(target=written_in_order, args=(file, DATA))
    writer.start()
    writer.join(0.05)
    assert writer.is_alive() and os.path.getsize(tmp_path / "a") < 8 * PIECE
    go_on.set()
    writer.join()
    file.close()
    assert len(settled) == len(DATA) // (2 * PIECE)
    assert (tmp_path / "a").read_bytes() == DATA


def test_only_steady_files_are_hashed(tmp_path):
    with open(tmp_path / "a", "w+b") as file, pytest.raises(TypeError, match="steady_open"):
        hash_from(file)
    with steady_open(tmp_path / "a") as file, pytest.raises(ValueError, match="hash_from"):
        digest_of(file)
