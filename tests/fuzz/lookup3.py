"""The checksum of HDF5's newer structures: Bob Jenkins's lookup3, `hashlittle` with the initial value 0."""

from __future__ import annotations

_MASK = 0xFFFFFFFF


def lookup3(data: bytes) -> int:
    """Return the checksum.

    >>> hex(lookup3(b"Four score and seven years ago"))
    '0x17770551'
    """
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    full = max(len(data) - 1, 0) // 12 * 12
    for at in range(0, full, 12):
        x, y, z = _words(data[at : at + 12])
        a, b, c = (a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK
        for turn in (4, 6, 8, 16, 19, 4):
            a = ((a - c) & _MASK) ^ _turned(c, turn)
            c = (c + b) & _MASK
            a, b, c = b, c, a
    if not data:
        return c
    x, y, z = _words(data[full:].ljust(12, b"\0"))
    a, b, c = (a + x) & _MASK, (b + y) & _MASK, (c + z) & _MASK
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _turned(b, turn)) & _MASK
        a, b, c = b, c, a
    return b


def _words(data: bytes) -> tuple[int, int, int]:
    x, y, z = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    return x, y, z


def _turned(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & _MASK
