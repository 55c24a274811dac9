"""CRC-32C, the checksum of TensorFlow's files: records, events and the tables of checkpoints.

The polynomial is 0x1EDC6F41 (Castagnoli), bits reversed, all ones before and after (RFC 3720, appendix B.4). Checksums of
zeros before and behind a message are linear over bits, so that a long message is cut into lanes of equal length, all
lanes run through the register at once, and their checksums are added in pairs.
"""

from __future__ import annotations

import functools

import numpy as np

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8
_LANES = 4096
# Below so many bytes a loop in Python is faster than arrays.
_SHORT = 1024


def crc32c(data: bytes | bytearray | memoryview | np.ndarray, value: int = 0) -> int:
    """Return the CRC-32C of `data`; `value` is that of what came before it.

    >>> from hornbeam.core.crc32c import crc32c
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    >>> hex(crc32c(b"6789", crc32c(b"12345")))
    '0xe3069283'
    """
    view = np.frombuffer(data, "uint8").data
    register = value ^ 0xFFFFFFFF
    while len(view) >= _SHORT:
        lanes = min(_LANES, len(view) // 64)
        lanes = 1 << lanes.bit_length() - 1
        words = len(view) // (4 * lanes)
        register = _in_lanes(view[: 4 * lanes * words], lanes, words, register)
        view = view[4 * lanes * words :]
    table = _byte_table()
    for byte in view:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFFFFFF


def masked_crc32c(data: bytes | bytearray | memoryview | np.ndarray) -> int:
    """Return the checksum as TensorFlow stores it: rotated and offset, since checksums of checksums are weak.

    >>> from hornbeam.core.crc32c import masked_crc32c
    >>> hex(masked_crc32c(b"123456789"))
    '0xc78ab0e5'
    """
    return mask(crc32c(data))


def mask(value: int) -> int:
    """Return a checksum in the form in which TensorFlow stores it."""
    return (value >> 15 | value << 17) + _MASK & 0xFFFFFFFF


def _in_lanes(view: memoryview, lanes: int, words: int, register: int) -> int:
    low, high = _word_tables()
    columns = np.frombuffer(view, "<u4").reshape(lanes, words)
    registers = np.zeros(lanes, "uint32")
    registers[0] = register
    for at in range(words):
        registers = registers ^ columns[:, at]
        registers = low[registers & np.uint32(0xFFFF)] ^ high[registers >> np.uint32(16)]
    count = 4 * words
    while len(registers) > 1:  # each pair of neighbours: the left one moved past the right one
        registers = _moved(registers[::2], count) ^ registers[1::2]
        count *= 2
    return int(registers[0])


def _moved(registers: np.ndarray, count: int) -> np.ndarray:
    """Return registers moved past `count` bytes of zeros."""
    a, b, c, d = _mover(count)
    byte = np.uint32(0xFF)
    low = a[registers & byte] ^ b[registers >> np.uint32(8) & byte]
    return low ^ c[registers >> np.uint32(16) & byte] ^ d[registers >> np.uint32(24)]


@functools.lru_cache(256)
def _mover(count: int) -> list[np.ndarray]:
    """Return for each of the four bytes of a register where `count` bytes of zeros move it."""
    matrix, byte = _shift(count), np.arange(256, dtype="uint32")
    return [_applied(matrix, byte << np.uint32(8 * place)) for place in range(4)]


def _applied(matrix: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return a matrix of bits, given by its 32 columns, times each of `vectors`."""
    result = np.zeros_like(vectors)
    for bit, column in enumerate(matrix):
        result ^= np.where(vectors >> np.uint32(bit) & np.uint32(1), column, np.uint32(0))
    return result


def _shift(count: int) -> np.ndarray:
    """Return the matrix that moves a register past `count` bytes of zeros."""
    table = np.array(_byte_table(), "uint32")
    units = np.uint32(1) << np.arange(32, dtype="uint32")
    power = table[units & np.uint32(0xFF)] ^ units >> np.uint32(8)  # past one byte
    result = units
    while count:
        if count & 1:
            result = _applied(power, result)
        power = _applied(power, power)
        count >>= 1
    return result


@functools.cache
def _byte_table() -> list[int]:
    table: list[int] = []
    for register in range(256):
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
        table.append(register)
    return table


@functools.cache
def _word_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return where four bytes lead a register, from their lower and their upper half."""
    matrix = _shift(4)
    halves = np.arange(1 << 16, dtype="uint32")
    return _applied(matrix, halves), _applied(matrix, halves << np.uint32(16))
