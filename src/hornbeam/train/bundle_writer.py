"""Writing tensors as TensorFlow's checkpoints keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, TypeAlias

import numpy as np

from hornbeam.core.crc32c import crc32c, mask
from hornbeam.core.protobuf import Writer
from hornbeam.train.bundle import STRING, TYPES
from hornbeam.train.table import write_table
from hornbeam.train.texts import encode_texts

Writable: TypeAlias = "np.ndarray | bytes | Sequence[bytes]"

_NUMBERS = {dtype: number for number, dtype in TYPES.items()}


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
