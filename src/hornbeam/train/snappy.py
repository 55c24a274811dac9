"""Reading what Snappy compressed: older tools compress the blocks of a table.

Format: github.com/google/snappy/blob/main/format_description.txt.
"""

from __future__ import annotations

from hornbeam.core.protobuf import read_varint


def uncompressed(data: memoryview, largest: int, what: str) -> bytes:
    """Return the bytes. Raises ValueError, naming `what`, where they are damaged or more than `largest`."""
    size, at = read_varint(data, 0, what)
    if size > largest:
        raise ValueError(f"{what} has a block of {size} bytes; at most {largest} are read.")
    out = bytearray()
    while at < len(data) and len(out) <= size:
        tag = data[at]
        at += 1
        kind, length = tag & 3, tag >> 2
        if kind == 0:  # the bytes themselves
            extra = max(0, length - 59)
            length = int.from_bytes(data[at : at + extra], "little") if extra else length
            at += extra
            out += data[at : at + length + 1]
            at += length + 1
            continue
        extra = (0, 1, 2, 4)[kind]  # a copy of what came before
        offset = int.from_bytes(data[at : at + extra], "little")
        if kind == 1:
            offset |= tag >> 5 << 8
            length = (length & 7) + 3
        at += extra
        if not 0 < offset <= len(out):
            raise ValueError(f"{what} is damaged: a copy of bytes that are not there.")
        length += 1
        start = len(out) - offset
        copied = bytes(out[start : start + length])
        if offset < length:  # a copy may overlap what it makes
            copied = (copied * (length // offset + 1))[:length]
        out += copied
    if len(out) != size or at > len(data):
        raise ValueError(f"{what} is damaged: a block has not the size that it says.")
    return bytes(out)
