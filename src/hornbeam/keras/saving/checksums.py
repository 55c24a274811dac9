"""Checksums of an HDF5 file, written behind its end, where HDF5 does not look.

Format: the HDF5 file; `BEGIN`; a table as JSON; 8 bytes with the length of the table and 4 with its CRC-32, least significant
byte first; `END`. The table has the `size` of the HDF5 file; the `paths` of arrays, and for each of them three numbers in
`spans`: where it begins, its bytes, their CRC-32; the CRC-32 of the `rest`, which is all other bytes: names, shapes, types.
So every byte is covered, and a damaged array can be named.

HDF5 ends a file where its own data end whenever it was open for changes. So a file that another program has edited has no
checksums any more, and is read without them, as files of other programs are.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from hornbeam.core.pieces import PIECE, FileCrc, handle_of, joined_crc
from hornbeam.keras.saving import safe_json

BEGIN, END = b"HornbCRC", b"CRCHornb"
_TAIL = struct.Struct(f"<QI{len(END)}s")
_HEAD = 48  # bytes of the oldest form of HDF5's superblock, which h5py writes, up to where the file ends
_PIECE = 1 << 20
_LISTED = 20  # arrays that an error names


@dataclass(frozen=True)
class Span:
    """Where the bytes of an array stand in a file, and their checksum."""

    start: int
    size: int
    crc: int


def append(stream: BinaryIO, arrays: Mapping[str, Span]) -> None:
    """Write checksums behind the HDF5 file that fills `stream`, whose arrays have those that are given."""
    size = stream.seek(0, io.SEEK_END)
    ordered = sorted(arrays.items(), key=lambda item: item[1].start)
    spans = [span for _, span in ordered]
    table = {
        "size": size,
        "paths": [path for path, _ in ordered],
        "spans": [number for span in spans for number in (span.start, span.size, span.crc)],
        "rest": crc_of(stream, _between(spans, size)),
    }
    text = json.dumps(table, separators=(",", ":")).encode()
    stream.seek(size)
    stream.write(BEGIN + text + _TAIL.pack(len(text), zlib.crc32(text), END))


def has_checksums(stream: BinaryIO) -> bool:
    """Return whether an HDF5 file has checksums."""
    return _table_text(stream, "") is not None


def check(stream: BinaryIO, name: str) -> None:
    """Read an HDF5 file and compare it with its checksums, where it has any.

    Raises ValueError, which names the file and the arrays, where it is not what was written.
    """
    text = _table_text(stream, name)
    if text is None:
        return
    end = stream.seek(0, io.SEEK_END) - _TAIL.size - len(text) - len(BEGIN)
    paths, spans, rest = _parsed(text, end, f"{name}: the table of checksums")
    damaged = [
        path
        for path, span in zip(paths, spans, strict=True)
        if crc_of(stream, [(span.start, span.size)]) != span.crc
    ]
    if damaged:
        raise ValueError(
            f"{name} is damaged: the values of {listed(damaged)} are not those that were written."
        )
    if crc_of(stream, _between(spans, end)) != rest:
        raise ValueError(
            f"{name} is damaged: the names, shapes and types in it are not those that were written."
        )


def listed(names: list[str]) -> str:
    """Return names as a text; of many, the first ones."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _table_text(stream: BinaryIO, name: str) -> bytes | None:
    """Return the table, or None where there is none. Raises ValueError for one that has changed or is cut."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _TAIL.size))
    end = stream.read(_TAIL.size)
    if not end.endswith(END):
        _check_is_not_cut(stream, name)
        return None
    length, crc, _ = _TAIL.unpack(end)
    if length <= min(size - _TAIL.size, safe_json.MAX_BYTES):
        stream.seek(max(0, size - _TAIL.size - length - len(BEGIN)))
        start, text = stream.read(len(BEGIN)), stream.read(length)
        if start == BEGIN and zlib.crc32(text) == crc:
            return text
    raise ValueError(f"{name} is damaged: its table of checksums is not what was written.")


def _check_is_not_cut(stream: BinaryIO, name: str) -> None:
    """Raise ValueError where the HDF5 file is whole, and the table begins behind it and has no end."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(_HEAD)
    if len(head) < _HEAD or head[8] != 0 or head[13] != 8:  # the form; bytes of an address
        return
    end = int.from_bytes(head[40:48], "little")
    if end < size:
        stream.seek(end)
        if BEGIN.startswith(stream.read(len(BEGIN))):
            raise ValueError(f"{name} is truncated: the end of its table of checksums is missing.")


def _parsed(text: bytes, end: int, place: str) -> tuple[list[str], list[Span], int]:
    """Return the paths, the spans and the checksum of the rest. Raises ValueError for anything else."""
    found: Any = safe_json.parse(text, place)
    try:
        paths, numbers = found["paths"], found["spans"]
        if any(type(each) is not int for each in (*numbers, found["size"], found["rest"])):
            raise ValueError("what should be a whole number is none")
        threes = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
        spans = [Span(*each) for each in threes]
        last = 0
        for span in spans:
            if not last <= span.start <= span.start + span.size <= end:
                raise ValueError("arrays overlap, or lie outside of the file")
            last = span.start + span.size
        if len(paths) != len(spans) or found["size"] != end:
            raise ValueError(f"it is that of another file, of {found['size']} bytes")
        return list(map(str, paths)), spans, found["rest"]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(f"{place} can't be read ({error}).") from error


def _between(spans: Iterable[Span], end: int) -> Iterator[tuple[int, int]]:
    """Yield the beginning and the size of what lies between the arrays."""
    start = 0
    for span in spans:
        yield start, span.start - start
        start = span.start + span.size
    yield start, end - start


def crc_of(stream: BinaryIO, parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of parts of a stream, one after the other."""
    crc, room, handle = 0, memoryview(bytearray(_PIECE)), handle_of(stream)
    for start, size in parts:
        if handle is not None and size > PIECE:  # worth the threads
            with FileCrc(handle, start, size) as reading:
                crc = joined_crc(crc, reading.result(), size)
            continue
        stream.seek(start)
        while size > 0:
            count = stream.readinto(room[: min(size, _PIECE)])  # type: ignore[attr-defined]
            if not count:
                raise ValueError("The file ends while it is read.")
            crc = zlib.crc32(room[:count], crc)
            size -= count
    return crc
