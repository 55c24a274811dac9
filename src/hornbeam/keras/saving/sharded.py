"""Weights in several files, exchanged with Keras 3 both ways: `NAME.weights.json` and `NAME_00000.weights.h5`, ...

The JSON file leads from each group to the file, or files, that hold its arrays. New files never take the names of those that
the JSON file on the disk leads to: it is replaced last, so that at every moment it leads to one whole set.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from hornbeam.core.atomic import atomic_write, resolved
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import safe_json
from hornbeam.keras.saving.comparison import Entry
from hornbeam.keras.saving.h5_store import H5File, Reader, h5_writing
from hornbeam.keras.saving.h5_writer import Writer, as_array
from hornbeam.keras.saving.places import places
from hornbeam.keras.saving.weights_h5 import group_of, read

ENDING = ".weights.json"
DEFAULT_SIZE = 5.0  # GB, as in Keras
_SHARD = re.compile(r"[^/\\\0:]+\.weights\.h5")
_MOST_SHARDS = 10_000
_CHECKSUM = "hornbeam.crc32"  # of the `weight_map`; files of other programs have none


def save_weights(model: Layer, path: str, max_shard_size: float | None = None) -> None:
    """Write the weights of `model` to files of at most `max_shard_size` GB; all of them are there, or none.

    Raises ValueError where one array is larger than that.
    """
    largest = float(DEFAULT_SIZE if max_shard_size is None else max_shard_size) * 1024**3
    if not largest > 0:
        raise ValueError(f"`max_shard_size` is a size in GB above 0; received {max_shard_size!r}.")
    path = resolved(path)
    old = _shards_of(path)
    shards = _Shards(path, largest)
    try:
        with shards:
            for place, obj in places(model):
                obj.save_own_variables(_ShardWriter(shards, group_of(place), obj.name))
        with atomic_write(path) as file:
            file.write(json.dumps(shards.index(), indent=4).encode())
    finally:
        # Whatever happened, the index on the disk says which set counts.
        kept = _shards_of(path)
        _remove(each for each in (*old, *shards.paths) if each not in kept)


def load_weights(
    model: Layer, path: str, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] = ()
) -> None:
    """Read the weights of `model`, without those of `objects_to_skip`; see `comparison.load`."""
    with ShardedFile(path) as store:
        read(model, store, skip_mismatch, objects_to_skip)


class ShardedFile:
    """A set of files that is open for reading."""

    def __init__(self, path: str | os.PathLike[str], check: bool = True) -> None:
        """Read the JSON file. Raises ValueError where it does not lead from groups to files beside it.

        With `check`, files are compared with their checksums when they are opened.
        """
        self.path = Path(path)
        self._check = check
        self.name = os.fspath(path)
        self.groups = _weight_map(self.path)
        self._files: dict[str, H5File] = {}
        self._stack = contextlib.ExitStack()

    def shards(self) -> list[str]:
        """Return the names of all files."""
        return sorted({name for names in self.groups.values() for name in names})

    def file(self, name: str) -> H5File:
        """Return one of the files, opened on first use. Raises FileNotFoundError for a missing one."""
        if name not in self._files:
            place = self.path.with_name(name)
            if place.exists() and not place.is_file():
                raise ValueError(f"{self.name} leads to {name}, which is no file.")
            try:
                stream = self._stack.enter_context(place.open("rb"))
            except FileNotFoundError as error:
                raise FileNotFoundError(
                    f"{self.name} leads to {name}, which is not there; move all files of a set together."
                ) from error
            self._files[name] = self._stack.enter_context(
                H5File(stream, os.fspath(place), self._check)
            )
        return self._files[name]

    def reader(self, place: str) -> Reader:
        """Return what the files have for the object whose group is at `place`."""
        return Reader([self.file(name) for name in self.groups.get(f"/{place}", ())], place)

    def entries(self) -> Iterator[Entry]:
        """Yield every array of all files."""
        return itertools.chain.from_iterable(self.file(name).entries() for name in self.shards())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()


def _weight_map(path: Path) -> dict[str, list[str]]:
    """Return the files of each group."""
    with path.open("rb") as file:
        index = safe_json.parse(file.read(), os.fspath(path))
    found = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(found, dict):
        raise ValueError(f"{path} has no `weight_map`; it is no index of weights.")
    groups: dict[str, list[str]] = {}
    for group, value in found.items():
        names = value if isinstance(value, list) else [value]
        for name in names:
            # A name from a file must not lead anywhere else.
            if not isinstance(name, str) or not _SHARD.fullmatch(name) or name.startswith("."):
                raise ValueError(
                    f"{path}: {group} is said to be in {str(name)[:100]!r}, which is no name of a file of weights "
                    "beside it."
                )
        groups[group] = names  # type: ignore[assignment]
    if len({name for names in groups.values() for name in names}) > _MOST_SHARDS:
        raise ValueError(f"{path} leads to more than {_MOST_SHARDS} files.")
    metadata = index.get("metadata")
    crc = metadata.get(_CHECKSUM) if isinstance(metadata, dict) else None
    if crc is not None and crc != _crc_of(found):
        raise ValueError(
            f"{path} is damaged: its `weight_map` is not what was written. If you changed it, remove {_CHECKSUM!r}."
        )
    return groups


def _crc_of(weight_map: object) -> int:
    return zlib.crc32(json.dumps(weight_map, sort_keys=True).encode())


class _Shards:
    """The files that are being written, none of which has a name before all are complete."""

    def __init__(self, path: str, largest: float) -> None:
        self._target, self._largest = Path(path), largest
        self._base = _free_base(self._target)
        self._stack = contextlib.ExitStack()
        self._inner = contextlib.ExitStack()  # the HDF5 file that is open
        self._stream: Any = None
        self._file: Any = None
        self._room = 0.0
        self._total = 0
        self._map: dict[str, list[str]] = {}
        self.paths: list[Path] = []

    def group_for(self, place: str, name: str, size: int, owner: str) -> Any:
        """Return the group that takes an array of `size` bytes, in a new file where the last one is full."""
        if size > self._largest:
            raise ValueError(
                f"{place}/{name} has {size} bytes, and max_shard_size allows {self._largest:.0f} "
                f"({self._largest / 1024**3:g} GB); pass a larger one."
            )
        if size > self._room or not self.paths:
            self._next()
        self._room -= size
        self._total += size
        names = self._map.setdefault(f"/{place}", [])
        if self.paths[-1].name not in names:
            names.append(self.paths[-1].name)
            self._file.create_group(place).attrs["name"] = owner
        return self._file[place]

    def index(self) -> dict[str, Any]:
        """Return what the JSON file says."""
        weight_map = {group: names if names[1:] else names[0] for group, names in self._map.items()}
        metadata = {"total_size": float(self._total), _CHECKSUM: _crc_of(weight_map)}
        return {"metadata": metadata, "weight_map": weight_map}

    def _next(self) -> None:
        self._finish()
        self.paths.append(self._target.with_name(f"{self._base}_{len(self.paths):05}.weights.h5"))
        self._stream = self._stack.enter_context(atomic_write(self.paths[-1]))
        self._file = self._inner.enter_context(h5_writing(self._stream))
        self._room = self._largest

    def _finish(self) -> None:
        """Close the last file and bring it to the disk now: naming all of them takes a moment then."""
        if self._file is not None:
            self._file = None
            self._inner.close()
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            with self._stack:
                self._finish()
        else:
            with contextlib.suppress(OSError):
                self._inner.close()
            self._stack.__exit__(*error)


class _ShardWriter(MutableMapping[str, np.ndarray]):
    """What an object writes, spread over files."""

    def __init__(self, shards: _Shards, place: str, owner: str) -> None:
        self._shards, self._place, self._owner = shards, place, owner
        self._written: dict[str, Writer] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        array = as_array(value)
        group = self._shards.group_for(self._place, name, array.nbytes, self._owner)
        self._written[name] = Writer(group, repr(self._owner))
        self._written[name][name] = array

    def __getitem__(self, name: str) -> np.ndarray:
        return self._written[name][name]

    def __delitem__(self, name: str) -> None:
        del self._written.pop(name)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def _free_base(path: Path) -> str:
    """Return what the names of new files begin with: the first of `NAME`, `NAME-2`, `NAME-3`, ... that none has."""
    base = path.name.removesuffix(ENDING)
    taken = set(os.listdir(path.parent)) if path.parent.is_dir() else set()
    for number in itertools.count(1):
        name = base if number == 1 else f"{base}-{number}"
        shard = re.compile(re.escape(name) + r"_\d{5}\.weights\.h5")
        if not any(map(shard.fullmatch, taken)):
            return name
    raise AssertionError


def _shards_of(path: str) -> list[Path]:
    """Return the files of the set that will be replaced."""
    place = Path(path)
    if not place.is_file():
        return []
    try:
        names = {name for each in _weight_map(place).values() for name in each}
    except ValueError:  # no set of ours: nothing of it is removed
        return []
    base = re.escape(place.name.removesuffix(ENDING))
    ours = re.compile(base + r"(-\d+)?_\d{5}\.weights\.h5")
    return [place.with_name(name) for name in names if ours.fullmatch(name)]


def _remove(paths: Iterable[Path]) -> None:
    for each in paths:
        with contextlib.suppress(OSError):
            each.unlink()
