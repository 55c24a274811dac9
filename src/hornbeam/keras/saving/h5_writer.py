"""Groups of HDF5 files that are being written, and the mapping that objects write their arrays to."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from hornbeam.core.tensor import unwrap
from hornbeam.core.variable import Variable
from hornbeam.keras.saving.checksums import Span

AS_BYTES = "V2"  # how Keras stores bfloat16, which HDF5 does not have


class NewGroup:
    """A group of a file that is being written, with the checksums of the arrays in the file."""

    def __init__(self, group: Any, spans: dict[str, Span] | None) -> None:
        """`group` is h5py's; `spans` are those of the file by path, None where it gets none."""
        self._group = group
        self._spans = spans

    @property
    def name(self) -> str:
        """The path, with a slash at its beginning."""
        return self._group.name

    @property
    def attrs(self) -> Any:
        """The attributes, as h5py has them."""
        return self._group.attrs

    def create_group(self, path: str) -> NewGroup:
        """Make a group inside this one. Raises ValueError where there is one."""
        return NewGroup(self._group.create_group(path), self._spans)

    def require_group(self, path: str) -> NewGroup:
        """Return the group inside this one, made where it was not there."""
        return NewGroup(self._group.require_group(path), self._spans)

    def __getitem__(self, path: str) -> NewGroup:
        return NewGroup(self._group[path], self._spans)

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)

    def write(self, name: str, array: np.ndarray) -> Any:
        """Write an array; return h5py's dataset."""
        # Of an array whose elements are scattered, HDF5 and the checksum would make a copy each.
        array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
        stored = self._group.create_dataset(name, data=array)
        start = stored.id.get_offset()
        if self._spans is not None and start is not None and array.nbytes:
            crc = zlib.crc32(array.reshape(-1).view("uint8").data)
            self._spans[stored.name.lstrip("/")] = Span(start, array.nbytes, crc)
        return stored

    def read(self, name: str) -> np.ndarray:
        """Return an array that has been written."""
        return np.asarray(self._group[name][()])

    def remove(self, name: str) -> None:
        """Take an array out again."""
        if self._spans is not None:
            self._spans.pop(self._group[name].name.lstrip("/"), None)
        del self._group[name]


def as_array(value: Any) -> np.ndarray:
    """Return what an object writes as an array of NumPy; a variable's value is not copied."""
    return value.view() if isinstance(value, Variable) else np.asarray(unwrap(value))


class Writer(MutableMapping[str, np.ndarray]):
    """What an object writes, as the mapping that `save_own_variables` sees: names of its own choice, and numbers."""

    def __init__(self, group: NewGroup, owner: str) -> None:
        """`owner` names the object in errors."""
        self._group = group
        self._owner = owner

    def __setitem__(self, name: str, value: Any) -> None:
        array = as_array(value)
        if array.dtype.name == "bfloat16":
            stored = self._group.write(name, array.view(AS_BYTES))
            stored.attrs["dtype"] = "bfloat16"
        elif array.dtype.kind in "fiubc" and not array.dtype.name.startswith("float8"):
            self._group.write(name, array)
        else:
            raise TypeError(
                f"A file of weights holds numbers; {self._owner} wrote {name!r} of type {array.dtype} to it."
            )

    def __getitem__(self, name: str) -> np.ndarray:
        return self._group.read(name)

    def __delitem__(self, name: str) -> None:
        self._group.remove(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __len__(self) -> int:
        return len(self._group)
