"""Files that go to the disk while they are written.

A system keeps what is written in memory until it is asked for the disk. So a file of a gigabyte takes a gigabyte of fresh
memory first, pushes out what others read, and then everybody waits for the disk. Here each window of the file is brought
to the disk, and its memory is let go, while the next window is written; hashes are computed in the meantime.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from hornbeam.core.pieces import PIECE, Digest, PieceHashes

__all__ = ["digest_of", "hash_from", "steady_open"]

WINDOW = 8 * PIECE
BUFFER = io.DEFAULT_BUFFER_SIZE
# Other threads read and sync what is written without moving the place at which the next bytes are written.
_CAN_SETTLE = hasattr(os, "pread") and hasattr(os, "fdatasync") and hasattr(os, "posix_fadvise")
_WAITING = 2  # windows that may be on their way when the next is handed over
_THREADS = 3  # two hash, one waits for the disk


def steady_open(
    path: str | os.PathLike[str], opener: Callable[[str, int], int] | None = None
) -> io.BufferedRandom:
    """Open a new file for writing and reading, as `open(path, "w+b")` does.

    An error of the disk is raised by a later write, or when the file is closed.

    >>> import pathlib, tempfile
    >>> from hornbeam.core.steady import steady_open
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a")
    >>> with steady_open(path) as file:
    ...     _ = file.write(b"all of it")
    >>> path.read_bytes()
    b'all of it'
    """
    return io.BufferedRandom(_SteadyFile(path, opener), BUFFER)


def hash_from(stream: BinaryIO, start: int = 0) -> None:
    """Have the bytes of a steady file hashed from `start` on. To be called before the first of them is written."""
    _raw(stream).hash_from(start)


def digest_of(stream: BinaryIO) -> Digest:
    """Return the digest of the bytes of a steady file, from where `hash_from` was told."""
    stream.flush()
    return _raw(stream).digest()


def _raw(stream: BinaryIO) -> _SteadyFile:
    raw = getattr(stream, "raw", None)
    if not isinstance(raw, _SteadyFile):
        raise TypeError(
            f"Only a file of steady_open can be hashed while it is written, not {stream!r}."
        )
    return raw


class _SteadyFile(io.FileIO):
    """The file behind the buffer of `steady_open`, written by one thread at a time."""

    def __init__(
        self, path: str | os.PathLike[str], opener: Callable[[str, int], int] | None
    ) -> None:
        super().__init__(path, "w+", opener=opener)  # type: ignore[arg-type]
        self._handed = 0  # what stands before is on its way to the disk
        self._hashes: PieceHashes | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._on_the_way: deque[Future[None]] = deque()

    def hash_from(self, start: int) -> None:
        self._handed, self._hashes = start, PieceHashes(start)

    def digest(self) -> Digest:
        self._wait(0)
        if self._hashes is None:
            raise ValueError("hash_from was not called before the file was written.")
        return self._hashes.digest(self.fileno())

    def write(self, data: Any) -> int:
        begin = self.tell()
        count = super().write(data)
        end = begin + count
        if begin < self._handed and self._hashes is not None:
            self._hashes.note_change(begin, min(end, self._handed))
        while _CAN_SETTLE and end - self._handed >= WINDOW:
            self._hand_over(self._handed, self._handed + WINDOW)
        return count

    def truncate(self, size: int | None = None) -> int:
        size = self.tell() if size is None else size
        if self._hashes is not None:
            self._hashes.note_change(size, max(self._handed, size))
        return super().truncate(size)

    def _hand_over(self, begin: int, end: int) -> None:
        """Bring a window to the disk, and hash it, in other threads; wait where they are behind."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, "hornbeam-write")
        hashing: list[Future[None]] = []
        if self._hashes is not None:
            middle = begin + (end - begin) // (2 * PIECE) * PIECE
            for part in ((begin, middle), (middle, end)):
                hashing.append(self._pool.submit(self._hashes.compute, self.fileno(), *part))
        settled = self._pool.submit(_settle, self.fileno(), begin, end, hashing)
        self._on_the_way.append(settled)
        self._handed = end
        self._wait(_WAITING)

    def _wait(self, most: int) -> None:
        """Wait until at most so many windows are on their way. Raises what went wrong with the others."""
        while len(self._on_the_way) > most:
            self._on_the_way.popleft().result()

    def close(self) -> None:
        """Wait for the windows that are on their way, and close the file."""
        try:
            self._wait(0)
        finally:
            if self._pool is not None:
                self._pool.shutdown()  # a thread must not see the number of the handle in other hands
            super().close()


def _settle(handle: int, begin: int, end: int, hashing: list[Future[None]]) -> None:
    """Wait until the disk has a window and its hashes are known; then let go of the memory that holds it."""
    os.fdatasync(handle)
    for each in hashing:
        each.result()
    os.posix_fadvise(handle, begin, end - begin, os.POSIX_FADV_DONTNEED)
