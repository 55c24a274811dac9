"""Sorted tables of keys and values, as LevelDB's: the index of a TensorFlow checkpoint is one.

A table is blocks, each followed by a byte for its compression and a masked CRC-32C, then a footer with the places of two
of them: the index of the data blocks and an index of further blocks, which is empty here. In a block, a key is stored as the
number of bytes that it shares with the key before it, and the rest; at restart points nothing is shared.
Format: github.com/google/leveldb/blob/main/doc/table_format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import read_varint, varint
from hornbeam.train.snappy import uncompressed

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
_BLOCK_SIZE = 4096
_RESTART = 16
# A compressed block is expanded whole. Those that TensorFlow writes have 256 KB; one value may be larger.
_LARGEST_BLOCK = 8 << 20
# Keys share beginnings, so a small table could stand for a huge one. A real one has about five times its bytes.
_KEYS_FREE = 16 << 20
_KEYS_RATIO = 16


def write_table(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the table of `entries`, whose keys must ascend. Raises ValueError where they don't."""
    out = bytearray()
    index: list[tuple[bytes, bytes]] = []
    pending: list[tuple[bytes, bytes]] = []
    size, last = 0, None
    for key, value in entries:
        if last is not None and key <= last:
            raise ValueError(f"The keys of a table must ascend: {key!r} comes after {last!r}.")
        last = key
        pending.append((key, value))
        size += len(key) + len(value)
        if size >= _BLOCK_SIZE:
            index.append((key, _append(out, _block(pending, _RESTART))))
            pending, size = [], 0
    if pending:
        index.append((pending[-1][0], _append(out, _block(pending, _RESTART))))
    further = _append(out, _block([], 1))
    places = further + _append(out, _block(index, 1))
    out += places.ljust(_FOOTER - 8, b"\0") + struct.pack("<Q", _MAGIC)
    return bytes(out)


def _append(out: bytearray, block: bytes) -> bytes:
    """Append a block; return its place as it is stored."""
    place = varint(len(out)) + varint(len(block))
    trailed = block + b"\0"
    out += trailed + struct.pack("<I", mask(crc32c(trailed)))
    return place


def _block(entries: list[tuple[bytes, bytes]], interval: int) -> bytes:
    out, restarts, before = bytearray(), [0], b""
    for number, (key, value) in enumerate(entries):
        if number % interval:
            shared = _shared(before, key)
        else:
            shared = 0
            restarts[number // interval :] = [len(out)]
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        before = key
    return bytes(out) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def _shared(a: bytes, b: bytes) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def read_table(data: bytes | memoryview, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries of a table in their order. Raises ValueError, naming `what`, for anything but a whole table."""
    view = memoryview(data)
    if len(view) < _FOOTER or view[-8:] != struct.pack("<Q", _MAGIC):
        raise ValueError(f"{what} is not a table of a checkpoint, or its end is missing.")
    footer = view[-_FOOTER:-8]
    _read_block(view, footer, what)  # the index of further blocks, which is empty
    at = 0
    for _ in range(2):
        _, at = read_varint(footer, at, what)
    reader = _Blocks(view, what)
    last = None
    behind = 0
    for _, place in reader.entries(_read_block(view, footer[at:], what)):
        start, end = _span(memoryview(place), what)
        if start < behind:
            raise ValueError(
                f"{what} is damaged: its block at byte {start} overlaps the one before."
            )
        behind = end
        for key, value in reader.entries(_read_block(view, memoryview(place), what)):
            if last is not None and key <= last:
                raise ValueError(f"{what} is damaged: its keys do not ascend.")
            last = key
            yield key, value


def _span(place: memoryview, what: str) -> tuple[int, int]:
    """Return where a block begins and, behind its checksum, ends."""
    start, at = read_varint(place, 0, what)
    size, _ = read_varint(place, at, what)
    return start, start + size + _TRAILER


def _read_block(view: memoryview, place: memoryview, what: str) -> memoryview:
    start, end = _span(place, what)
    if end > len(view) - _FOOTER:
        raise ValueError(f"{what} is damaged: a block at byte {start} ends behind the file.")
    stored, checksum = view[start : end - 4], view[end - 4 : end]
    if struct.pack("<I", mask(crc32c(stored))) != checksum:
        raise ValueError(f"{what} is damaged: the block at byte {start} has another checksum.")
    kind, block = stored[-1], stored[:-1]
    if kind == 1:
        return memoryview(uncompressed(block, _LARGEST_BLOCK, what))
    if kind:
        raise ValueError(f"{what} has a block of the unknown compression {kind}.")
    return block


class _Blocks:
    """Reads the entries of blocks, and counts the bytes of their keys."""

    def __init__(self, view: memoryview, what: str) -> None:
        self._what = what
        self._left = self._most = _KEYS_FREE + _KEYS_RATIO * len(view)

    def entries(self, block: memoryview) -> Iterator[tuple[bytes, bytes]]:
        what = self._what
        restarts = struct.unpack("<I", block[-4:])[0] if len(block) >= 4 else 0
        end = len(block) - 4 * (restarts + 1)
        if end < 0 or not restarts:
            raise ValueError(f"{what} is damaged: a block is shorter than its list of restarts.")
        at, key = 0, b""
        while at < end:
            shared, at = read_varint(block, at, what)
            rest, at = read_varint(block, at, what)
            size, at = read_varint(block, at, what)
            if shared > len(key) or rest + size > end - at:
                raise ValueError(f"{what} is damaged: an entry is longer than its block.")
            self._left -= shared + rest
            if self._left < 0:
                raise ValueError(f"{what} has keys of more than {self._most} bytes.")
            key = key[:shared] + bytes(block[at : at + rest])
            yield key, bytes(block[at + rest : at + rest + size])
            at += rest + size
