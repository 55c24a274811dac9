"""Readers of TensorFlow's checkpoints: files that TensorFlow made, changed, with checksums of blocks made right again."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from random import Random

from hornbeam.core.crc32c import masked_crc32c
from hornbeam.core.protobuf import Reader, varint
from hornbeam.train.bundle import Bundle, index_file
from hornbeam.train.graph import GRAPH_KEY, Paths, read_graph
from hornbeam.train.snappy import uncompressed
from hornbeam.train.state_file import get_checkpoint_state
from hornbeam.train.table import read_table, write_table
from hornbeam.train.texts import decode_texts
from tests.fuzz.changes import changed
from tests.fuzz.targets import Call, target

MADE = Path(__file__).parents[1] / "files/tensorflow"
_TEXT = b"abcabcabcabc" * 20
_PACKED = [varint(len(_TEXT)) + b"\x08abc" + bytes([63 << 2 | 2, 3, 0]) * 3 + bytes([(44) << 2 | 2, 3, 0])]  # fmt: skip
_STATE = b'model_checkpoint_path: "ckpt-2"\nall_model_checkpoint_paths: "a\\303\\251"\nlast_preserved_timestamp: 1.5\n'


@functools.cache
def _indexes() -> list[bytes]:
    return [path.read_bytes() for path in sorted(MADE.glob("*.index"))]


@functools.cache
def _graphs() -> list[bytes]:
    bundles = [Bundle(path.with_suffix("")) for path in sorted(MADE.glob("*.index"))]
    return [b.read(GRAPH_KEY) for b in bundles if GRAPH_KEY in b.entries]  # type: ignore[misc]


@functools.cache
def _messages() -> list[bytes]:
    return [*_graphs(), *(value for data in _indexes() for _, value in read_table(data, "seed"))]


def _stored(block: bytes, kind: int) -> bytes:
    """Return a block with its trailer."""
    trailed = block + bytes([kind])
    return trailed + masked_crc32c(trailed).to_bytes(4, "little")


def _table_of(block: bytes, kind: int) -> bytes:
    """Return a table of one block, whatever is in it."""
    index = b"\0\x01" + bytes([len(place := varint(0) + varint(len(block)))]) + b"z" + place
    index += b"\0\0\0\0\x01\0\0\0"
    places = (varint(len(block) + 5) + varint(len(index))) * 2
    magic = 0xDB4775248B80FB57
    return _stored(block, kind) + _stored(index, 0) + places.ljust(40, b"\0") + magic.to_bytes(8, "little")  # fmt: skip


def _walk(message: Reader) -> None:
    """Read every field as each type."""
    for number in message.numbers:
        for read in (message.integer, message.signed, message.integers, message.text, message.texts):  # fmt: skip
            with contextlib.suppress(ValueError):
                read(number)
        with contextlib.suppress(ValueError):
            message.entries(number, "inner")


@target("message")
def protobuf(draw: Random, folder: Path) -> Call:
    data = changed(draw.choice(_messages()), draw)
    return lambda: _walk(Reader(data, "message"))


@target("file")
def graph(draw: Random, folder: Path) -> Call:
    data = changed(draw.choice(_graphs()), draw)
    return lambda: Paths(read_graph(data, "file"))


@target("block")
def snappy(draw: Random, folder: Path) -> Call:
    data = changed(draw.choice(_PACKED), draw)
    return lambda: uncompressed(memoryview(data), 8 << 20, "block")


@target("table")
def table(draw: Random, folder: Path) -> Call:
    kind = draw.choice([0, 0, 0, 1])
    data = draw.choice(_indexes())
    if draw.randrange(2):
        data = changed(data, draw)
    else:
        block = data[: data.rindex(b"\0\0\0\0\x01\0\0\0", 0, len(data) - 60) + 8]
        data = _table_of(changed(draw.choice(_PACKED) if kind else block, draw), kind)
    return lambda: sum(len(k) + len(v) for k, v in read_table(data, "table"))


@target("texts")
def texts(draw: Random, folder: Path) -> Call:
    data = changed(b"\x05\x00\x02\x12\x34\x56\x78helloab", draw)
    count = draw.choice([3, 0, 1, 1 << 40])
    return lambda: decode_texts(data, count, 0, "texts")


@target("checkpoint")
def state_file(draw: Random, folder: Path) -> Call:
    (folder / "checkpoint").write_bytes(changed(_STATE, draw))
    return lambda: get_checkpoint_state(folder)


def changed_bundle(source: Path, made: Path, draw: Random) -> None:
    """Write a checkpoint with entries of the index changed, and the data."""
    entries = dict(read_table(index_file(source).read_bytes(), "seed"))
    for key in draw.sample(sorted(entries), draw.randrange(1, 3)):
        value = entries.pop(key)
        entries[draw.choice([key, key, key, changed(key, draw)])] = changed(value, draw)
    index_file(made).write_bytes(write_table(sorted(entries.items())))
    for path in source.parent.glob(f"{source.name}.data*"):
        data = path.read_bytes()
        data = changed(data, draw) if draw.random() > 0.7 else data
        (made.parent / path.name.replace(source.name, made.name)).write_bytes(data)


@target(r"x\.")
def bundle(draw: Random, folder: Path) -> Call:
    changed_bundle(
        MADE / draw.choice(["types", "parts", "saver", "keras2_old"]), folder / "x", draw
    )

    def read() -> None:
        opened = Bundle(folder / "x")
        for each in opened:
            try:
                opened.read(each)
            except (ValueError, FileNotFoundError) as error:
                assert "x." in str(error), f"{error!r} does not name the file"

    return read
