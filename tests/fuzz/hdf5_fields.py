"""Where the fields of an HDF5 file are: enough of the format to change one number of one structure.

Source: HDF5 File Format Specification, versions 1.1 and 3.0.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, field

from tests.fuzz.lookup3 import lookup3

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NONE = (1 << 64) - 1
# Bytes that are looked at of the structures that begin with a name.
_NAMED = {b"TREE": 24 + 16 * 12, b"HEAP": 32, b"SNOD": 8 + 40 * 4, b"GCOL": 64, b"FRHP": 142, b"BTHD": 34, b"BTLF": 64, b"FHDB": 40, b"FSHD": 80, b"EAHD": 72, b"FAHD": 28, b"FADB": 60}  # fmt: skip


@dataclass
class Layout:
    """What was found in a file."""

    fields: list[tuple[int, int]] = field(default_factory=list)
    """Places and widths of numbers."""
    addresses: list[int] = field(default_factory=list)
    """Places that the file leads to."""
    pointers: list[int] = field(default_factory=list)
    """Places of 8 bytes that lead to one of them."""
    sums: list[tuple[int, int]] = field(default_factory=list)
    """Where structures begin and where their checksums are."""


@functools.lru_cache(64)
def layout(data: bytes) -> Layout:
    """Return the fields of a file that libhdf5 wrote."""
    found = Layout()
    version = data[8]
    found.fields += [(at, 1) for at in range(8, 16)]
    found.fields += _words(16, 24, 2)
    found.fields += _words(24 if version < 2 else 12, 96 if version < 2 else 44, 8)
    starts = {at for name in _NAMED for at in _all(data, name)}
    headers = {int.from_bytes(data[at : at + 8], "little") for s in _all(data, b"SNOD") for at in range(s + 16, min(s + 8 + 40 * 8, len(data)), 40)}  # fmt: skip
    if version < 2:
        headers.add(int.from_bytes(data[64:72], "little"))
    headers = {at for at in headers if 0 < at < len(data) - 16 and data[at] == 1}
    for at in starts:
        end = min(at + _NAMED[data[at : at + 4]], len(data))
        found.fields += [(each, 1) for each in range(at + 4, min(at + 8, end))]
        found.fields += _words(at + 8, end, 8) + _words(at + 4, at + 8, 2)
    for at in sorted(headers):
        _header(data, at, found)
    newer = _all(data, b"OHDR")
    for at in newer:
        found.fields += [(each, 1) for each in range(at + 4, min(at + 200, len(data)))]
        found.fields += [(each, 8) for each in range(at + 8, min(at + 200, len(data)))]
    found.addresses = sorted({*starts, *headers, *newer})
    wanted = set(found.addresses)
    found.pointers = [at for at in range(len(data) - 8) if int.from_bytes(data[at : at + 8], "little") in wanted]  # fmt: skip
    if version >= 2:
        found.sums = [(at, end) for at in [0, *newer, *starts] if (end := _sum_of(data, at))]
    return found


def _all(data: bytes, name: bytes) -> list[int]:
    found, at = [], data.find(name)
    while at >= 0:
        found.append(at)
        at = data.find(name, at + 1)
    return found


def _words(start: int, end: int, width: int) -> list[tuple[int, int]]:
    return [(at, width) for at in range(start, end - width + 1, width)]


def _header(data: bytes, at: int, found: Layout) -> None:
    """Note the fields of an object's header, version 1, and of its messages."""
    count, _, size = struct.unpack("<HII", data[at + 2 : at + 12])
    found.fields += [(at, 1), (at + 2, 2), (at + 4, 4), (at + 8, 4)]
    blocks = [(at + 16, min(at + 16 + size, len(data)))]
    while blocks and count:
        place, end = blocks.pop()
        while place + 8 <= end and count:
            kind, length = struct.unpack("<HH", data[place : place + 4])
            start, count = place + 8, count - 1
            found.fields += [(place, 2), (place + 2, 2), (place + 4, 1)]
            stop = min(start + length, end)
            for width in (1, 8, 4, 2):
                found.fields += _words(start, min(stop, start + 8) if width == 1 else stop, width)
            if kind == 16 and length >= 16:  # goes on elsewhere
                there, more = struct.unpack("<QQ", data[start : start + 16])
                blocks.append((there, min(there + more, len(data))))
            place = stop
    found.fields = [each for each in found.fields if each[0] + each[1] <= len(data)]


def _sum_of(data: bytes, at: int) -> int:
    """Return where the checksum of a structure is, or 0: the first place where one would be right."""
    for end in range(at + 8, min(at + 600, len(data) - 3)):
        if data[end : end + 4] != b"\0\0\0\0" and int.from_bytes(data[end : end + 4], "little") == lookup3(data[at:end]):  # fmt: skip
            return end
    return 0


def with_sums(out: bytearray, found: Layout) -> None:
    """Make the checksums right again."""
    for at, end in found.sums:
        out[end : end + 4] = lookup3(bytes(out[at:end])).to_bytes(4, "little")
