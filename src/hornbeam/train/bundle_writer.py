"""Writing tensors as TensorFlow's checkpoints keep them: the old checkpoint of the name is there whole until the new one is."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np

from hornbeam.core.atomic import atomic_write, hidden_name, sync_folder
from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import Writer
from hornbeam.train.bundle import STRING, TYPES, data_file, index_file
from hornbeam.train.table import write_table
from hornbeam.train.texts import encode_texts

Writable: TypeAlias = "np.ndarray | bytes | Sequence[bytes]"

_NUMBERS = {dtype: number for number, dtype in TYPES.items()}


def write_bundle(prefix: str | os.PathLike[str], tensors: Iterable[tuple[str, Writable]]) -> None:
    """Write a checkpoint; a crash at any moment leaves the old one of this name or the new one.

    The index names the data files by their number, so new data are written under a number that the old index does not
    name, and count when the new index takes the place of the old one. Then they get their usual name, too.
    """
    taken = _shards(prefix)
    shards = next(n for n in range(1, len(taken) + 2) if n not in taken)
    data = data_file(prefix, 0, shards)
    with atomic_write(data) as file:
        writer = BundleWriter(file)
        for name, value in tensors:
            writer.add(name, value)
    _write_index(prefix, writer.index(shards))
    if shards != 1 and _link(data, data_file(prefix)):
        _write_index(prefix, writer.index())
        shards = 1
    for other in _shards(prefix):
        if other != shards:
            remove_data(prefix, other)


def _write_index(prefix: str | os.PathLike[str], index: bytes) -> None:
    with atomic_write(index_file(prefix)) as file:
        file.write(index)


def _link(old: Path, new: Path) -> bool:
    """Let a file have a second name, which another file may have had; return False where that can't be done."""
    hidden = hidden_name(os.fspath(new))
    try:
        os.link(old, hidden)
        os.replace(hidden, new)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(hidden)
        return False
    sync_folder(os.path.dirname(os.path.abspath(new)))
    return True


def _shards(prefix: str | os.PathLike[str]) -> list[int]:
    """Return the numbers of data files that the checkpoints of this name consist of, whole or not."""
    return sorted({int(name.rpartition("-")[2]) for name in _data_names(prefix)})


def _data_names(prefix: str | os.PathLike[str]) -> list[str]:
    folder, name = os.path.split(os.fspath(prefix))
    ours = re.compile(re.escape(name) + r"\.data-\d{5}-of-\d{5}")
    return sorted(filter(ours.fullmatch, os.listdir(folder or ".")))


def remove_data(prefix: str | os.PathLike[str], shards: int | None = None) -> None:
    """Remove the data files of a name: those that are one of `shards`, or all of them."""
    folder = os.path.dirname(os.fspath(prefix))
    for name in _data_names(prefix):
        if shards is None or int(name.rpartition("-")[2]) == shards:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


class BundleWriter:
    """Writes tensors one by one into an open data file; `index()` then returns the bytes of the index."""

    def __init__(self, data: BinaryIO) -> None:
        self._data = data
        self._offset = 0
        self._entries: dict[str, bytes] = {}

    def add(self, name: str, value: Writable) -> None:
        """Write a tensor. Raises ValueError for a name that came before, TypeError for a type without a number."""
        if not name or name in self._entries or name[0] == "\0":
            raise ValueError(f"The tensor {name!r} is written twice, or has no name.")
        if isinstance(value, np.ndarray) and value.dtype != object:
            number = _NUMBERS.get(value.dtype)
            if number is None:
                raise TypeError(f"A checkpoint has no type for {value.dtype} (tensor {name!r}).")
            shape, parts = value.shape, [np.ascontiguousarray(value).reshape(-1).view("uint8")]
            checksum = crc32c(parts[0])
        else:
            texts = [value] if isinstance(value, bytes) else list(np.ravel(value))
            if not all(isinstance(text, bytes) for text in texts):
                raise TypeError(f"A checkpoint has no type for object (tensor {name!r}).")
            shape = () if isinstance(value, bytes) else np.shape(value)
            number, (checksum, parts) = STRING, encode_texts(texts)
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

    def index(self, shards: int = 1) -> bytes:
        """Return the index of all tensors written, for a data file that is the first of `shards`."""
        header = Writer().integer(1, shards).message(3, Writer().integer(1, 1)).data
        entries = {_bytes(name): entry for name, entry in self._entries.items()}
        return write_table([(b"", header), *sorted(entries.items())])


def _bytes(name: str) -> bytes:
    return name.encode(errors="surrogateescape")
