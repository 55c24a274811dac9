"""Tables of sorted keys and their compressed blocks: read back, and everything hostile refused quickly."""

import struct

import pytest

from hornbeam.core.crc32c import masked_crc32c
from hornbeam.core.protobuf import varint
from hornbeam.train.snappy import uncompressed
from hornbeam.train.table import read_table, write_table

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def stored(block, kind=0):
    """Return a block with its trailer."""
    trailed = block + bytes([kind])
    return trailed + masked_crc32c(trailed).to_bytes(4, "little")


def block(*entries):
    """Return a block of (shared, rest of the key, value)."""
    out = b"".join(
        varint(shared) + varint(len(rest)) + varint(len(value)) + rest + value
        for shared, rest, value in entries
    )
    return out + struct.pack("<II", 0, 1)


def table(*blocks, places=None):
    """Return a table of blocks, each with its kind of compression; `places` replaces their places in the index."""
    whole, found = b"", []
    for content, kind in blocks:
        found.append(varint(len(whole)) + varint(len(content)))
        whole += stored(content, kind)
    index = block(*((0, bytes([i]), place) for i, place in enumerate(places or found)))
    place = varint(len(whole)) + varint(len(index))
    return whole + stored(index) + (place + place).ljust(40, b"\0") + MAGIC


def test_tables_keep_order_and_refuse_another():
    entries = [
        (f"{i:05d}".encode() * (1 + i % 3), bytes([i % 256]) * (i % 50)) for i in range(2000)
    ]
    entries.sort()
    assert list(read_table(write_table(entries), "table")) == entries
    assert list(read_table(write_table([]), "table")) == []
    with pytest.raises(ValueError, match="must ascend"):
        write_table([(b"b", b""), (b"a", b"")])


def test_compressed_blocks():
    text = b"abcabcabcabcabcabc" + bytes(range(100))
    literal = (
        varint(len(text))
        + b"\x08abc"
        + bytes([(11 - 4) << 2 | 1, 3])
        + bytes([(4 - 1) << 2 | 2, 3, 0])
    )
    packed = literal + bytes([60 << 2, 99]) + bytes(range(100))
    assert uncompressed(memoryview(packed), 1000, "block") == text
    with pytest.raises(ValueError, match="at most 100 are read"):
        uncompressed(memoryview(packed), 100, "block")
    for cut in range(2, len(packed)):
        with pytest.raises(ValueError):
            uncompressed(memoryview(packed[:cut]), 1000, "block")
    with pytest.raises(ValueError, match="not there"):
        uncompressed(memoryview(varint(9) + b"\x00a\x05\x09"), 1000, "block")


def test_compressed_copies_that_overlap_are_quick():
    """64 bytes for each three: eight million of them take no loop over bytes."""
    size = 8 << 20
    packed = (
        varint(size)
        + b"\x00a"
        + bytes([63 << 2 | 2, 1, 0]) * (size // 64 - 1)
        + bytes([62 << 2 | 2, 1, 0])
    )
    assert uncompressed(memoryview(packed), size, "block") == b"a" * size
    for step in (2, 3, 7, 63, 64, 65):
        text = bytes(range(step))
        packed = (
            varint(step + 64) + bytes([60 << 2, step - 1]) + text + bytes([63 << 2 | 2, step, 0])
        )
        assert uncompressed(memoryview(packed), 200, "block") == (text * 65)[: step + 64]


def test_a_table_with_a_compressed_block():
    plain = block((0, b"k", b"v"))
    packed = varint(len(plain)) + bytes([(len(plain) - 1) << 2]) + plain
    assert list(read_table(table((packed, 1)), "table")) == [(b"k", b"v")]


@pytest.mark.parametrize(
    ("whole", "error"),
    {
        "unknown compression": (table((block(), 2)), "unknown compression 2"),
        "a bomb": (table((varint(1 << 40) + b"\x00a", 1)), "a block of 1099511627776 bytes"),
        "blocks that overlap": (table((block((0, b"a", b"")), 0), places=[b"\x00\x0c"] * 2), "overlaps the one before"),
        "a block behind the end": (table(places=[varint(1 << 50) + b"\x01"]), "ends behind the file"),
        "keys that shrink": (table((block((0, b"b", b""), (0, b"a", b"")), 0)), "do not ascend"),
        "a key that shares too much": (table((block((1, b"b", b"")), 0)), "longer than its block"),
        "a value behind the block": (table((b"\x00\x01\x7fa" + block(), 0)), "longer than its block"),
        "no restarts": (table((b"\0\0\0\0", 0)), "list of restarts"),
        "too many restarts": (table((b"\xff" * 8, 0)), "list of restarts"),
        "an empty block": (table((b"", 0)), "list of restarts"),
        "keys that multiply": (
            table((block((0, b"a" * 9000, b""), *(((9000 + i, b"a", b"") for i in range(4000)))), 0)),
            r"keys of more than \d+ bytes",
        ),
    }.values(),
)  # fmt: skip
def test_tables_that_no_writer_makes(whole, error):
    with pytest.raises(ValueError, match=rf"the\.index.*{error}"):
        list(read_table(whole, "the.index"))
