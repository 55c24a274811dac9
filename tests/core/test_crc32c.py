"""CRC-32C against published values and against its definition, bit by bit."""

import numpy as np
import pytest

from hornbeam.core.crc32c import crc32c, mask, masked_crc32c


def by_definition(data):
    """Polynomial division, one bit after the other."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_published_values(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("length", [1, 63, 511, 512, 513, 1000, 4096, 33_333, 100_003])
def test_every_length_by_the_definition(length):
    data = np.random.default_rng(length).integers(0, 256, length, dtype="uint8").tobytes()
    assert crc32c(data) == by_definition(data)


@pytest.mark.parametrize("cut", [0, 1, 511, 700, 99_999])
def test_in_two_parts(cut):
    data = np.random.default_rng(0).integers(0, 256, 100_003, dtype="uint8")
    assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data)


def test_arrays_of_any_type():
    data = np.arange(3000, dtype="float32").reshape(3, 1000)
    assert crc32c(data) == crc32c(data.tobytes())


def test_masking():
    """As TensorFlow's TFRecordWriter stores the checksum of this record."""
    assert masked_crc32c(b"123456789") == mask(0xE3069283) == 0xC78AB0E5
