"""CRC-32 and SHA-256 of long files, piece by piece: pieces can be hashed in any order, at the same time, and again.

The SHA-256 of pieces is that of the SHA-256 digests of pieces of 4 MiB, one behind the other. The CRC-32 is that of all
bytes, as zip archives hold it: checksums of neighbours are joined, for they are polynomials over bits modulo
x^32 + x^26 + x^23 + ... + 1 (ISO 3309), and what stands before n bytes is multiplied by x^(8n).
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, NamedTuple, Self

__all__ = [
    "PIECE",
    "Digest",
    "FileCrc",
    "PieceHashes",
    "handle_of",
    "joined_crc",
    "sha256_of_pieces",
]

PIECE = 4 << 20
_POLYNOMIAL = 0xEDB88320  # the highest bit is the constant term
_ONE, _X = 1 << 31, 1 << 30
_ROOM = 1 << 20  # read at a time by a thread: still in the processor's cache when it is hashed
_READERS = 2


class Digest(NamedTuple):
    """What is known of the bytes of a file: their number, CRC-32, and SHA-256 of pieces in hexadecimal digits."""

    size: int
    crc: int
    sha256: str


class PieceHashes:
    """The hashes of a file from `start` on, computed while it is written."""

    def __init__(self, start: int) -> None:
        """The first piece begins at `start`."""
        self._start = start
        self._found: dict[int, tuple[int, bytes]] = {}  # number of the piece -> CRC-32, SHA-256
        self._changed: set[int] = set()

    def compute(self, handle: int, begin: int, end: int) -> None:
        """Hash the pieces from `begin` to `end`, which are borders of pieces. May run in any thread."""
        for number in range((begin - self._start) // PIECE, (end - self._start) // PIECE):
            self._found[number] = self._hashes(handle, number)

    def note_change(self, begin: int, end: int) -> None:
        """Have the pieces with bytes from `begin` to `end` hashed again when all is written."""
        first = max(begin - self._start, 0) // PIECE
        self._changed.update(range(first, -((self._start - end) // PIECE)))

    def digest(self, handle: int) -> Digest:
        """Return the digest of the whole file, which nobody writes any more."""
        size = max(os.fstat(handle).st_size - self._start, 0)
        crc, hashes = 0, hashlib.sha256()
        for number in range(-(-size // PIECE)):
            is_known = number in self._found and number not in self._changed
            found = self._found[number] if is_known else self._hashes(handle, number)
            crc = joined_crc(crc, found[0], min(PIECE, size - number * PIECE))
            hashes.update(found[1])
        return Digest(size, crc, hashes.hexdigest())

    def _hashes(self, handle: int, number: int) -> tuple[int, bytes]:
        data = _read_at(handle, self._start + number * PIECE)
        return zlib.crc32(data), hashlib.sha256(data).digest()


def _read_at(handle: int, place: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, PIECE, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, PIECE)


def handle_of(stream: BinaryIO) -> int | None:
    """Return the handle of a stream whose bytes are those of a file, where other threads can read it meanwhile; or None.

    The handle of a stream that unpacks, as `gzip` does, is that of other bytes.
    """
    is_plain = type(stream) is io.BufferedReader and type(stream.raw) is io.FileIO
    return stream.fileno() if is_plain and hasattr(os, "preadv") else None


class FileCrc:
    """The CRC-32 of a part of a file, computed by other threads until the context ends.

    >>> import tempfile, zlib
    >>> from hornbeam.core.pieces import FileCrc
    >>> with tempfile.TemporaryFile() as file:
    ...     _ = file.write(b"0123456789")
    ...     file.flush()
    ...     with FileCrc(file.fileno(), 2, 5) as crc:
    ...         crc.result() == zlib.crc32(b"23456")
    True
    """

    def __init__(self, handle: int, start: int, size: int) -> None:
        """Begin to read `size` bytes from `start` on. The place at which the file is read otherwise stays where it is."""
        self._pool = ThreadPoolExecutor(_READERS, "hornbeam-read")
        self._pieces: list[tuple[int, Callable[[], int]]] = []
        for begin in range(start, start + size, PIECE):
            count = min(PIECE, start + size - begin)
            self._pieces.append((count, self._pool.submit(_crc_at, handle, begin, count).result))

    def result(self) -> int:
        """Return the checksum. Raises ValueError where the file ends before the part does."""
        crc = 0
        for count, piece in self._pieces:
            crc = joined_crc(crc, piece(), count)
        return crc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # No thread may see the handle after the file is closed.
        self._pool.shutdown(cancel_futures=True)


def _crc_at(handle: int, place: int, size: int) -> int:
    crc, room = 0, memoryview(bytearray(min(size, _ROOM)))
    while size:
        count = os.preadv(handle, [room[:size]], place)
        if not count:
            raise ValueError("The file is truncated: it ends before what it says it holds.")
        crc = zlib.crc32(room[:count], crc)
        place, size = place + count, size - count
    return crc


def sha256_of_pieces(stream: BinaryIO) -> str:
    """Return the SHA-256 of the pieces of a whole stream in hexadecimal digits.

    >>> import hashlib, io
    >>> from hornbeam.core.pieces import sha256_of_pieces
    >>> short = hashlib.sha256(b"one piece").digest()
    >>> sha256_of_pieces(io.BytesIO(b"one piece")) == hashlib.sha256(short).hexdigest()
    True
    """
    stream.seek(0)
    hashes = hashlib.sha256()
    while piece := stream.read(PIECE):
        hashes.update(hashlib.sha256(piece).digest())
    return hashes.hexdigest()


def joined_crc(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of two messages, one behind the other; `size` is the number of bytes of the second.

    >>> import zlib
    >>> from hornbeam.core.pieces import joined_crc
    >>> joined_crc(zlib.crc32(b"12345"), zlib.crc32(b"6789"), 4) == zlib.crc32(b"123456789")
    True
    """
    return _product(first, _x_to_the(8 * size)) ^ second


def _product(a: int, b: int) -> int:
    """Return the product of two polynomials modulo that of CRC-32."""
    product = 0
    for power in range(32):
        if a & (_ONE >> power):
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)  # times x
    return product


@functools.lru_cache(16)
def _x_to_the(exponent: int) -> int:
    """Return x to a power, modulo the polynomial of CRC-32."""
    power, square = _ONE, _X
    while exponent:
        if exponent & 1:
            power = _product(power, square)
        square = _product(square, square)
        exponent >>= 1
    return power
