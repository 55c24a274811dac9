"""Checkpoints of a training: folders of arrays by path and plain data, each written whole or not at all.

A folder of checkpoints holds `state-000001`, `state-000002`, ...; the highest number is the newest. Each has two files:

- `state.h5`: HDF5; `variables/<path>` for each array, `data/<number>` for the arrays inside the plain data.
- `state.json`: the plain data, the size and SHA-256 of the pieces of `state.h5`, and the SHA-256 of all else in this file.

A checkpoint gets its name when all of it is on the disk; then older ones are removed. So a process that is killed at any
moment leaves the old checkpoint or the new one, and hidden leftovers that the next writer removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hornbeam.core.atomic_folder import atomic_folder, remove
from hornbeam.core.pieces import sha256_of_pieces
from hornbeam.core.steady import digest_of, hash_from, steady_open
from hornbeam.core.user_code import warn
from hornbeam.keras.saving import safe_json
from hornbeam.keras.saving.comparison import Entry
from hornbeam.keras.saving.h5_store import H5File, Reader, h5_reading, h5_writing
from hornbeam.keras.saving.h5_writer import Writer
from hornbeam.keras.saving.plain_data import Json, decode, encode

_FORMAT = "hornbeam training state 1"
_NAME = re.compile(r"state-(\d+)")
_REMOVED = ".state-removed-"
# Bytes and values of the JSON: a history of a million epochs fits.
_LIMITS = 512 << 20, 20_000_000
_ARRAYS, _DATA = "state.h5", "state.json"


class DamagedStateError(ValueError):
    """A checkpoint of training is not what was written."""


def write_state(
    folder: str, arrays: Mapping[str, Any], data: Mapping[str, Any], keep: int = 1
) -> str:
    """Write a checkpoint and remove all but the last `keep`; return its path. The older ones stay if it fails."""
    os.makedirs(folder, exist_ok=True)
    _sweep(folder)
    found = _checkpoints(folder)
    path = os.path.join(folder, f"state-{found[-1][0] + 1 if found else 1:06d}")
    with atomic_folder(path, owned=()) as part:
        _write_files(part, arrays, data)
    for _, old in found[: len(found) + 1 - keep]:
        _remove(old)
    return path


def _write_files(part: str, arrays: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    inner: list[np.ndarray] = []

    def put(array: np.ndarray) -> str:
        inner.append(array)
        return str(len(inner) - 1)

    encoded = encode(dict(data), put)
    path = os.path.join(part, _ARRAYS)
    stored = {f"variables/{name}": array for name, array in arrays.items()}
    stored |= {f"data/{number}": array for number, array in enumerate(inner)}
    with steady_open(path) as stream:
        hash_from(stream)
        with h5_writing(stream, False) as file:
            groups: dict[str, Writer] = {}
            for name, array in stored.items():
                place, _, last = name.rpartition("/")
                if place not in groups:
                    groups[place] = Writer(file.require_group(place), repr(name))
                groups[place][last] = array
        digest = digest_of(stream)
    content: Json = {
        "format": _FORMAT,
        "arrays": sorted(arrays),
        "files": {_ARRAYS: {"size": digest.size, "sha256_of_pieces": digest.sha256}},
        "data": encoded,
    }
    text = json.dumps({**content, "sha256": _hash_of_json(content)}).encode()
    safe_json.check_size(text, f"What callbacks and data sets keep, in {_DATA},", *_LIMITS)
    with open(os.path.join(part, _DATA), "wb") as file:
        file.write(text)


class StoredState:
    """A checkpoint whose files were found to be what was written."""

    def __init__(self, path: str) -> None:
        """Raises DamagedStateError for files that are missing, cut or altered."""
        self.path = path
        try:
            self._content = _read_json(os.path.join(path, _DATA))
            arrays = os.path.join(path, _ARRAYS)
            expected = self._content["files"][_ARRAYS]
            if os.path.getsize(arrays) != expected["size"]:
                raise ValueError(
                    f"{_ARRAYS} has {os.path.getsize(arrays)} bytes, not {expected['size']}"
                )
            with open(arrays, "rb") as stream:
                if sha256_of_pieces(stream) != expected["sha256_of_pieces"]:
                    raise ValueError(f"the bytes of {_ARRAYS} have changed")
            _check_names(self._content["arrays"])
            with self._open() as file:
                group = Reader([file], "data")
                self.data: dict[str, Any] = decode(self._content["data"], group.__getitem__)
        except PermissionError:
            raise
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedStateError(f"{path} is damaged: {error}") from error

    @property
    def names(self) -> list[str]:
        """The paths of the arrays."""
        return list(self._content["arrays"])

    @contextlib.contextmanager
    def entries(self) -> Iterator[dict[str, Entry]]:
        """Open the arrays; return them by path, each to be read when it is wanted."""
        with self._open() as file:
            yield {name: file.root.entry(f"variables/{name}") for name in self.names}

    def _open(self) -> contextlib.AbstractContextManager[H5File]:
        return h5_reading(os.path.join(self.path, _ARRAYS))


def newest_state(folder: str) -> StoredState | None:
    """Return the newest checkpoint that is whole; None where the folder has none at all.

    A damaged one is passed over with a warning. Raises DamagedStateError where all are damaged.
    """
    damaged: list[DamagedStateError] = []
    for _, path in reversed(_checkpoints(folder)):
        try:
            found = StoredState(path)
        except DamagedStateError as error:
            damaged.append(error)
            continue
        for each in damaged:
            warn(f"{each}. Training goes on from the one before, {path}.")
        return found
    if damaged:
        raise DamagedStateError(
            f"No checkpoint in {folder} can be read: {'; '.join(map(str, damaged))}. Delete the folder to train from the "
            "beginning; `double_checkpoint=True` keeps the one before, too."
        )
    return None


def remove_states(folder: str) -> None:
    """Remove all checkpoints, and the folder where nothing else is in it."""
    for _, path in _checkpoints(folder):
        _remove(path)
    _sweep(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _checkpoints(folder: str) -> list[tuple[int, str]]:
    names = os.listdir(folder) if os.path.isdir(folder) else []
    found = [(int(match[1]), name) for name in names if (match := _NAME.fullmatch(name))]
    return [(number, os.path.join(folder, name)) for number, name in sorted(found)]


def _remove(path: str) -> None:
    """Remove a checkpoint; a process that is killed meanwhile leaves no half of one under its name."""
    hidden = os.path.join(os.path.dirname(path), f"{_REMOVED}{uuid.uuid4().hex}")
    os.rename(path, hidden)
    remove(hidden)


def _sweep(folder: str) -> None:
    """Remove what a process that was killed was about to remove."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.startswith(_REMOVED):
            remove(os.path.join(folder, name))


def _read_json(path: str) -> Json:
    with open(path, "rb") as file:
        content = safe_json.parse(file.read(_LIMITS[0] + 1), _DATA, *_LIMITS)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{_DATA} is no state of training that this version reads")
    if content.pop("sha256", None) != _hash_of_json(content):
        raise ValueError(f"the text of {_DATA} has changed")
    return content


def _check_names(names: Json) -> None:
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ValueError(f"`arrays` in {_DATA} are no list of names: {str(names)[:100]}")


def _hash_of_json(content: Json) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
