"""Tensors in files as TensorFlow's checkpoints keep them: `NAME.index`, a table, and `NAME.data-00000-of-00001`.

The index leads from the name of a tensor to its type, shape, place and checksum; the entry of the empty name says how
many data files there are. Source: tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import TypeAlias

import ml_dtypes
import numpy as np

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.errors import did_you_mean
from hornbeam.core.protobuf import Reader
from hornbeam.train.slices import Piece, piece_key, read_piece, region
from hornbeam.train.table import read_table
from hornbeam.train.texts import decode_texts

Value: TypeAlias = "np.ndarray | bytes"
"""An array of numbers, an array of bytes objects, or one bytes object."""

STRING = 7
TYPES = {
    1: np.dtype("float32"),
    2: np.dtype("float64"),
    3: np.dtype("int32"),
    4: np.dtype("uint8"),
    5: np.dtype("int16"),
    6: np.dtype("int8"),
    8: np.dtype("complex64"),
    9: np.dtype("int64"),
    10: np.dtype("bool"),
    14: np.dtype(ml_dtypes.bfloat16),
    17: np.dtype("uint16"),
    18: np.dtype("complex128"),
    19: np.dtype("float16"),
    22: np.dtype("uint32"),
    23: np.dtype("uint64"),
    24: np.dtype(ml_dtypes.float8_e5m2),
    25: np.dtype(ml_dtypes.float8_e4m3fn),
}
# An index has about 100 bytes for each tensor.
_LARGEST_INDEX = 256 << 20
# What NumPy can take.
_MOST_AXES = 64


@dataclass(frozen=True)
class Entry:
    """What the index says of a tensor."""

    dtype: np.dtype | None
    """None for strings."""
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    pieces: tuple[Piece, ...] = ()
    """Where the parts of a tensor lie in it that is stored in parts."""


def data_file(prefix: str | os.PathLike[str], shard: int = 0, shards: int = 1) -> Path:
    """Return the path of a data file."""
    return Path(f"{os.fspath(prefix)}.data-{shard:05d}-of-{shards:05d}")


def index_file(prefix: str | os.PathLike[str]) -> Path:
    """Return the path of the index."""
    return Path(f"{os.fspath(prefix)}.index")


@dataclass(eq=False)
class Bundle:
    """A checkpoint that is read. Raises ValueError for damaged files, naming them; FileNotFoundError where one is missing."""

    prefix: str | os.PathLike[str]
    entries: Mapping[str, Entry] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = index_file(self.prefix)
        if (size := path.stat().st_size) > _LARGEST_INDEX:
            raise ValueError(f"{path.name} has {size} bytes; at most {_LARGEST_INDEX} are read.")
        self._what = path.name
        table = read_table(path.read_bytes(), path.name)
        name, header = next(table, (None, b""))
        if name != b"":
            raise ValueError(f"{path.name} is damaged: it has no header.")
        message = Reader(header, f"header of {path.name}")
        if message.integer(2):
            raise ValueError(f"{path.name} was written on a big-endian machine, which is not read.")
        self._shards = message.integer(1)
        self._all = {key: _entry(key, value, path.name) for key, value in table}
        self.entries = {_text(key): entry for key, entry in self._all.items() if key[:1] != b"\0"}
        self._files: dict[int, tuple[FileIO, int]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def open(self) -> None:
        """Open the data files now, so that they can be read even after others have taken their names."""
        for shard in sorted({entry.shard for entry in self._all.values()})[:100]:
            self._file(shard)

    def read(self, name: str) -> Value:
        """Return a tensor, its checksum compared. Raises KeyError for a name that is not there."""
        entry = self.entries.get(name)
        if entry is None:
            raise KeyError(
                f"The checkpoint {os.fspath(self.prefix)} has no tensor {name!r}.{did_you_mean(name, list(self.entries))}"
            )
        return self._read_pieces(name, entry) if entry.pieces else self._read(name, entry)

    def _read(self, name: str, entry: Entry) -> Value:
        file, size = self._file(entry.shard)
        what = f"{Path(file.name).name}: the tensor {name!r}"
        if entry.offset + entry.size > size:
            raise ValueError(
                f"{what} ends at byte {entry.offset + entry.size} of {size}; the file is cut."
            )
        data = _read_at(file, entry.offset, entry.size)
        if entry.dtype is None:
            texts = decode_texts(bytes(data), math.prod(entry.shape), entry.checksum, what)
            return _text_array(texts, entry.shape) if entry.shape else texts[0]
        if mask(crc32c(data)) != entry.checksum:
            raise ValueError(f"{what} is damaged: it has another checksum.")
        return np.frombuffer(data, entry.dtype).reshape(entry.shape)

    def _read_pieces(self, name: str, entry: Entry) -> Value:
        """Return a tensor from its parts. An array is made only if the files have as many bytes."""
        what = f"{self._what}: the tensor {name!r}"
        found: list[tuple[tuple[slice, ...], Entry]] = []
        for piece in entry.pieces:
            place = region(piece, entry.shape)
            part = self._all.get(piece_key(name.encode(errors="surrogateescape"), piece))
            if place is None or part is None or part.pieces or part.dtype != entry.dtype:
                raise ValueError(f"{what} is damaged: its part {piece} is missing or does not fit.")
            if part.shape != tuple(each.stop - each.start for each in place):
                raise ValueError(f"{what} is damaged: its part {piece} has shape {part.shape}.")
            found.append((place, part))
        if sum(math.prod(part.shape) for _, part in found) != math.prod(entry.shape):
            raise ValueError(
                f"{what} is damaged: its parts are not the whole of shape {entry.shape}."
            )
        stored = sum(self._file(shard)[1] for shard in {part.shard for _, part in found})
        if sum(part.size for _, part in found) > stored:
            raise ValueError(f"{what} is damaged: its parts have more bytes than the data files.")
        whole = np.empty(entry.shape, object if entry.dtype is None else entry.dtype)
        filled = np.zeros(entry.shape, bool)
        for place, part in found:
            whole[place] = self._read(name, part)
            filled[place] = True
        if not filled.all():
            raise ValueError(f"{what} is damaged: its parts overlap.")
        return whole

    def _file(self, shard: int) -> tuple[FileIO, int]:
        """Return the open data file of a shard, and its size."""
        if shard not in self._files:
            if shard >= self._shards:
                raise ValueError(
                    f"{self._what} is damaged: it names data file {shard} of {self._shards}."
                )
            file = data_file(self.prefix, shard, self._shards).open("rb", buffering=0)
            weakref.finalize(self, file.close)
            self._files[shard] = file, os.fstat(file.fileno()).st_size
        return self._files[shard]


def _read_at(file: FileIO, offset: int, size: int) -> bytearray:
    data = bytearray(size)
    file.seek(offset)
    at = 0
    while at < size:
        count = file.readinto(memoryview(data)[at:])
        if not count:
            raise ValueError(f"{file.name} was cut while it was read.")
        at += count
    return data


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


def _text_array(texts: list[bytes], shape: tuple[int, ...]) -> np.ndarray:
    found = np.empty(len(texts), object)
    found[:] = texts
    return found.reshape(shape)


def _entry(key: bytes, value: bytes, what: str) -> Entry:
    name = _text(key)
    message = Reader(value, f"entry {name!r} of {what}")
    number = message.integer(1)
    if number != STRING and number not in TYPES:
        raise ValueError(f"{what}: the tensor {name!r} has the unknown type {number}.")
    dims = message.message(2, "shape")
    if dims.count(2) > _MOST_AXES:
        raise ValueError(
            f"{what} is damaged: the tensor {name!r} has {dims.count(2)} axes; at most {_MOST_AXES} are read."
        )
    shape = tuple(dim.signed(1) for dim in dims.messages(2, "dimension"))
    if min(shape, default=0) < 0:
        raise ValueError(f"{what} is damaged: the tensor {name!r} has the shape {shape}.")
    pieces = tuple(map(read_piece, message.messages(7, "part")))
    entry = Entry(
        TYPES.get(number),
        shape,
        *(message.integer(field) for field in (3, 4, 5, 6)),
        pieces=pieces,
    )
    numbers = math.prod(shape) * entry.dtype.itemsize if entry.dtype is not None else entry.size
    if not pieces and numbers != entry.size:
        raise ValueError(
            f"{what} is damaged: the tensor {name!r} of shape {shape} and {entry.dtype} can't have {entry.size} bytes."
        )
    return entry
