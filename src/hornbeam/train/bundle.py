"""Tensors in files as TensorFlow's checkpoints keep them: `NAME.index`, a table, and `NAME.data-00000-of-00001`.

The index leads from the name of a tensor to its type, shape, place and checksum; the entry of the empty name says how
many data files there are. Source: tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

import ml_dtypes
import numpy as np

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.errors import did_you_mean
from hornbeam.core.protobuf import Reader, Writer, read_varint, varint
from hornbeam.train.table import read_table, write_table

Value: TypeAlias = "np.ndarray | bytes | list[bytes]"
"""An array of numbers, or bytes: one, or a list."""

_STRING = 7
_TYPES = {
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
_NUMBERS = {dtype: number for number, dtype in _TYPES.items()}


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


def data_file(prefix: str | os.PathLike[str], shard: int = 0, shards: int = 1) -> Path:
    """Return the path of a data file."""
    return Path(f"{os.fspath(prefix)}.data-{shard:05d}-of-{shards:05d}")


def index_file(prefix: str | os.PathLike[str]) -> Path:
    """Return the path of the index."""
    return Path(f"{os.fspath(prefix)}.index")


class BundleWriter:
    """Writes tensors one by one into an open data file; `index()` then returns the bytes of the index."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data
        self._offset = 0
        self._entries: dict[str, bytes] = {}

    def add(self, name: str, value: Value) -> None:
        """Write a tensor. Raises ValueError for a name that came before, TypeError for a type without a number."""
        if not name or name in self._entries:
            raise ValueError(f"The tensor {name!r} is written twice, or has no name.")
        if isinstance(value, np.ndarray):
            number = _NUMBERS.get(value.dtype)
            if number is None:
                raise TypeError(f"A checkpoint has no type for {value.dtype} (tensor {name!r}).")
            shape, parts = value.shape, [np.ascontiguousarray(value).reshape(-1).view("uint8")]
            checksum = crc32c(parts[0])
        else:
            shape = () if isinstance(value, bytes) else (len(value),)
            number, (checksum, parts) = _STRING, _strings(value)
        size = 0
        for part in parts:
            self._data.write(part)  # type: ignore[arg-type]
            size += len(part)
        dims = Writer()
        for length in shape:
            dims.message(2, Writer().integer(1, length))
        entry = Writer().integer(1, number).message(2, dims).integer(4, self._offset)
        self._entries[name] = entry.integer(5, size).fixed32(6, mask(checksum)).data
        self._offset += size

    def index(self) -> bytes:
        """Return the index of all tensors written."""
        header = Writer().integer(1, 1).message(3, Writer().integer(1, 1)).data
        entries = {b"": header, **{name.encode(): entry for name, entry in self._entries.items()}}
        return write_table(sorted(entries.items()))


def _strings(value: bytes | list[bytes]) -> tuple[int, list[bytes]]:
    """Return the checksum and the parts of texts: their lengths, a checksum of these, and the texts."""
    texts = [value] if isinstance(value, bytes) else value
    checksum = _of_lengths(list(map(len, texts)))
    stored = struct.pack("<I", mask(checksum))
    parts = [b"".join(varint(len(text)) for text in texts), stored, *texts]
    return crc32c(b"".join(texts), crc32c(stored, checksum)), parts


def _of_lengths(lengths: list[int]) -> int:
    return crc32c(b"".join(struct.pack("<I" if n < 1 << 32 else "<Q", n) for n in lengths))


@dataclass
class Bundle:
    """A checkpoint that is read. Raises ValueError for damaged files, naming them; FileNotFoundError where one is missing."""

    prefix: str | os.PathLike[str]
    entries: Mapping[str, Entry] = field(init=False)

    def __post_init__(self) -> None:
        path = index_file(self.prefix)
        table = read_table(path.read_bytes(), path.name)
        name, header = next(table, (None, b""))
        if name != b"":
            raise ValueError(f"{path.name} is damaged: it has no header.")
        self._shards = Reader(header, path.name).integer(1)
        self.entries = dict(_entry(key, value, path.name) for key, value in table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def read(self, name: str) -> Value:
        """Return a tensor, its checksum compared. Raises KeyError for a name that is not there."""
        entry = self.entries.get(name)
        if entry is None:
            raise KeyError(
                f"The checkpoint has no tensor {name!r}.{did_you_mean(name, list(self.entries))}"
            )
        path = data_file(self.prefix, entry.shard, self._shards)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if entry.offset + entry.size > size:
                raise ValueError(
                    f"{path.name} is cut: the tensor {name!r} ends at byte {entry.offset + entry.size} of {size}."
                )
            file.seek(entry.offset)
            data = file.read(entry.size)
        if entry.dtype is None:
            return _read_strings(data, entry, f"{path.name}: the tensor {name!r}")
        if mask(crc32c(data)) != entry.checksum:
            raise ValueError(f"{path.name} is damaged: the tensor {name!r} has another checksum.")
        return np.frombuffer(data, entry.dtype).reshape(entry.shape)


def _entry(key: bytes, value: bytes, what: str) -> tuple[str, Entry]:
    name = key.decode(errors="replace")
    message = Reader(value, f"{what}, entry {name!r}")
    number = message.integer(1)
    if number != _STRING and number not in _TYPES:
        raise ValueError(f"{what}: the tensor {name!r} has the unknown type {number}.")
    dims = message.message(2, "shape").messages(2, "dimension")
    shape = tuple(dim.signed(1) for dim in dims)
    entry = Entry(
        _TYPES.get(number),
        shape,
        message.integer(3),
        message.integer(4),
        message.integer(5),
        message.integer(6),
    )
    count = 1
    for length in shape:
        count *= length
    if min(shape, default=0) < 0 or (
        entry.dtype is not None and count * entry.dtype.itemsize != entry.size
    ):
        raise ValueError(
            f"{what} is damaged: the tensor {name!r} of shape {shape} and {entry.dtype} can't have {entry.size} bytes."
        )
    return name, entry


def _read_strings(data: bytes, entry: Entry, what: str) -> Value:
    view, at = memoryview(data), 0
    count = 1
    for length in entry.shape:
        count *= length
    if count > len(data):
        raise ValueError(f"{what} is damaged: {count} texts can't be in {len(data)} bytes.")
    lengths = []
    for _ in range(count):
        length, at = read_varint(view, at, what)
        lengths.append(length)
    checksum, stored = _of_lengths(lengths), view[at : at + 4]
    at += 4
    is_whole = at + sum(lengths) == len(data) and struct.pack("<I", mask(checksum)) == stored
    if not is_whole or mask(crc32c(data[at:], crc32c(stored, checksum))) != entry.checksum:
        raise ValueError(f"{what} is damaged: it has another checksum.")
    texts = []
    for length in lengths:
        texts.append(data[at : at + length])
        at += length
    return texts if entry.shape else texts[0]
