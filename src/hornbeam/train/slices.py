"""Tensors that a checkpoint holds in pieces: each piece is an entry of its own, named by the tensor and its place in it.

Such names are LevelDB's "ordered code", in which names and numbers sort as bytes.
Source: tensorflow/core/util/saved_tensor_slice_util.cc, tensorflow/core/lib/strings/ordered_code.cc.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from hornbeam.core.protobuf import Reader

Piece: TypeAlias = "tuple[tuple[int, int], ...]"
"""For each axis the start and the length of the piece; length -1 stands for the whole axis."""

_WHOLE = -1
_ESCAPED = {b"\0": b"\0\xff", b"\xff": b"\xff\0"}


def read_piece(message: Reader) -> Piece:
    """Return the place of a piece from a TensorSliceProto."""
    axes = message.messages(1, "axis")
    return tuple((axis.signed(1), axis.signed(2) if 2 in axis.numbers else _WHOLE) for axis in axes)


def piece_key(name: bytes, piece: Piece) -> bytes:
    """Return the key under which the index holds a piece."""
    escaped = re.sub(rb"[\0\xff]", lambda found: _ESCAPED[found[0]], name)
    axes = b"".join(_signed(start) + _signed(length) for start, length in piece)
    return b"\0" + escaped + b"\0\x01" + _unsigned(len(piece)) + axes


def region(piece: Piece, shape: tuple[int, ...]) -> tuple[slice, ...] | None:
    """Return where the piece lies in a tensor of `shape`; None if it does not fit in."""
    if len(piece) != len(shape):
        return None
    found: list[slice] = []
    for (start, length), size in zip(piece, shape, strict=True):
        stop = size if length == _WHOLE else start + length
        if not 0 <= start <= stop <= size:
            return None
        found.append(slice(start, stop))
    return tuple(found)


def _unsigned(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    """Return an integer whose first bits tell the number of its bytes: 6 bits of it fit into one byte, 13 into two, ..."""
    bits = (~value if value < 0 else value).bit_length()
    size = bits // 7 + 1
    header = ((1 << size) - 1) << 7 * size
    return ((value & (1 << 8 * size) - 1) ^ header).to_bytes(size, "big")
