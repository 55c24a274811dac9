"""The group of one object in a file of weights, as the mapping that `save_own_variables` and its kin see.

Reading takes numbers and nothing else: links to other places and files, virtual and external data are refused before a
byte is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam.core.tensor import unwrap


class Writer(dict[str, np.ndarray]):
    """What an object writes: names of its own choice, and numbers."""

    def __init__(self, group: Any, owner: str) -> None:
        """`group` is an HDF5 group; `owner` names the object in errors."""
        super().__init__()
        self._group = group
        self._owner = owner

    def __setitem__(self, name: str, value: Any) -> None:
        array = np.asarray(unwrap(value))
        if array.dtype.name == "bfloat16":
            # HDF5 has no such type; Keras stores the two bytes and says so.
            self._group.create_dataset(name, data=array.view("V2")).attrs["dtype"] = "bfloat16"
        elif array.dtype.kind in "fiub":
            self._group.create_dataset(name, data=array)
        else:
            raise TypeError(
                f"A file of weights holds numbers; {self._owner} wrote {name!r} of type {array.dtype} to it."
            )
        super().__setitem__(name, array)


class Reader(Mapping[str, np.ndarray]):
    """What the file has for an object; empty where it has nothing."""

    def __init__(self, h5py: Any, file: Any, place: str) -> None:
        """`place` is the path of the object's group of variables."""
        self._h5py = h5py
        self._file = file
        self.place = place
        group, problem = _walk(h5py, file, place)
        self._group = group if problem is None and isinstance(group, h5py.Group) else None
        # What stands in the way of reading at all, such as a link; a missing group is none.
        self.problem = problem if problem != _MISSING else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._group if self._group is not None else ())

    def __len__(self) -> int:
        return len(self._group) if self._group is not None else 0

    def shape(self, name: str) -> tuple[tuple[int, ...] | None, str | None]:
        """Return the shape of what stands there, or what is wrong with it."""
        found, problem = self._find(name)
        return (tuple(found.shape), None) if problem is None else (None, problem)

    def __getitem__(self, name: str) -> np.ndarray:
        found, problem = self._find(name)
        if problem is not None:
            raise KeyError(f"{self.place}/{name} {problem}")
        value = np.asarray(found[()])
        if found.attrs.get("dtype") == "bfloat16" and value.dtype.itemsize == 2:
            return value.view("bfloat16")
        return value

    def _find(self, name: str) -> tuple[Any, str | None]:
        found, problem = _walk(self._h5py, self._file, f"{self.place}/{name}")
        if problem is not None:
            return None, problem
        if not isinstance(found, self._h5py.Dataset):
            return None, "holds no numbers"
        if found.is_virtual or found.external:
            return None, "keeps its data in another file; that is not followed"
        if found.dtype.kind not in "fiubV":
            return None, f"holds values of type {found.dtype}"
        return found, None


_MISSING = "is not in the file"


def _walk(h5py: Any, file: Any, path: str) -> tuple[Any, str | None]:
    """Return what stands at a path, walked to link by link, or what is wrong with it."""
    found: Any = file
    for part in path.split("/"):
        if not isinstance(found, h5py.Group) or part not in found:
            return None, _MISSING
        if type(found.get(part, getlink=True)) is not h5py.HardLink:
            return None, "is a link to another place; links are not followed"
        found = found[part]
    return found, None
