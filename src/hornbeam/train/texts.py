"""Texts in the data file of a checkpoint: their lengths, a checksum of the lengths, then the bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import read_varint, varint


def encode_texts(texts: Sequence[bytes]) -> tuple[int, list[bytes]]:
    """Return the checksum and the parts to write one after another."""
    checksum = _checksum_of_lengths(list(map(len, texts)))
    stored = struct.pack("<I", mask(checksum))
    parts = [b"".join(varint(len(text)) for text in texts), stored, *texts]
    return crc32c(b"".join(texts), crc32c(stored, checksum)), parts


def decode_texts(data: bytes, count: int, checksum: int, what: str) -> list[bytes]:
    """Return `count` texts. Raises ValueError, naming `what`, if the data or the (masked) checksum are wrong."""
    if count > len(data):
        raise ValueError(f"{what} is damaged: {count} texts can't be in {len(data)} bytes.")
    view, at = memoryview(data), 0
    lengths: list[int] = []
    for _ in range(count):
        length, at = read_varint(view, at, what)
        lengths.append(length)
    of_lengths, stored = _checksum_of_lengths(lengths), view[at : at + 4]
    at += 4
    is_whole = at + sum(lengths) == len(data) and struct.pack("<I", mask(of_lengths)) == stored
    if not is_whole or mask(crc32c(data[at:], crc32c(stored, of_lengths))) != checksum:
        raise ValueError(f"{what} is damaged: it has another checksum.")
    texts: list[bytes] = []
    for length in lengths:
        texts.append(data[at : at + length])
        at += length
    return texts


def _checksum_of_lengths(lengths: list[int]) -> int:
    return crc32c(b"".join(struct.pack("<I" if n < 1 << 32 else "<Q", n) for n in lengths))
