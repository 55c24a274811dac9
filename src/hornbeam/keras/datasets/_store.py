"""Where data sets are found, and how a file is known to hold what it should."""

from __future__ import annotations

import hashlib
import math
import os
import sys
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np

from hornbeam.keras.utils.download import download
from hornbeam.keras.utils.files import keras_home

FOLDER_VARIABLE = "HORNBEAM_DATASETS"
BLOCK = 1 << 20
HEADER_ROOM = 1 << 16
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Content:
    """An array of uint8: its shape, and the SHA-256 of its bytes."""

    shape: tuple[int, ...]
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A public .npz file. Its arrays' hashes count, not its own: the same arrays can be packed in many ways."""

    title: str
    url: str
    arrays: Mapping[str, Content]


def load(archive: Archive, path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an archive: from the user's folder, from the cache, or from the network into the cache.

    Raises:
        ValueError: for a file of the user's own that is broken. OSError: where there is no file and no download.
    """
    path = os.fspath(path)
    tried: list[str] = []
    for file in _own_files(path, tried):
        if os.path.exists(file):
            return read(archive, file)
        tried.append(f"{file}: no such file")
    cached = path if os.path.isabs(path) else os.path.join(keras_home(), "datasets", path)
    if not os.path.isabs(path):
        found = _from_cache(archive, cached, tried)
        if found is not None:
            return found
    return _from_network(archive, cached, tried)


def _own_files(path: str, tried: list[str]) -> list[str]:
    """The files that the user named: they are read, never replaced."""
    if os.path.isabs(path):
        return [path]
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return [os.path.join(os.path.expanduser(folder), path)]
    tried.append(f"{FOLDER_VARIABLE}: not set")
    return []


def _from_cache(archive: Archive, file: str, tried: list[str]) -> dict[str, np.ndarray] | None:
    """The arrays of the cached file; a broken file is set aside, where it can do no harm and no work is lost."""
    if not os.path.exists(file):
        tried.append(f"{file}: no such file")
        return None
    try:
        return read(archive, file)
    except ValueError as error:
        aside = f"{file}.broken"
        os.replace(file, aside)
        tried.append(f"{file}: broken, now {aside}")
        if sys.stderr is not None:
            sys.stderr.write(f"{error}\nIt is now {aside}; a new one is downloaded.\n")
        return None


def _from_network(archive: Archive, file: str, tried: list[str]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    try:
        download(
            archive.url, file, check=lambda part: arrays.update(read(archive, part, archive.url))
        )
    except (OSError, ValueError) as error:
        tried.append(str(error))
        lines = "".join(f"\n  - {each}" for each in tried)
        raise OSError(
            f"{archive.title} is not on this machine and could not be downloaded. Tried:{lines}\n"
            f"To put it here by hand, fetch {archive.url} with any machine that has a network, and save it as {file}, "
            f"or in a folder of your own whose path is in the environment variable {FOLDER_VARIABLE}."
        ) from error
    return arrays


def read(archive: Archive, file: str, name: str | None = None) -> dict[str, np.ndarray]:
    """Every array of the file, compared with its hash.

    Args:
        archive: what the file should hold.
        file: its path.
        name: what messages call it; the path by default.

    Raises:
        ValueError: for a file that is no zip file, is truncated or damaged, or holds other arrays. OSError: for one that
            cannot be read.
    """
    name = name or file
    with open(file, "rb") as raw:
        try:
            with zipfile.ZipFile(raw) as packed:
                return {key: _array(packed, key, each) for key, each in archive.arrays.items()}
        except MemoryError:
            raise
        except Exception as error:  # changed bytes make zipfile raise nearly anything
            detail = str(error.args[0]) if isinstance(error, KeyError) else str(error)
            raise ValueError(
                f"{name} is not the {archive.title} file it should be: "
                f"{detail.rstrip('.') or type(error).__name__}. It is truncated, damaged or another "
                f"file; delete it, or replace it by {archive.url}"
            ) from error


def _array(packed: zipfile.ZipFile, key: str, content: Content) -> np.ndarray:
    """One array, its header checked before any memory is taken for what it promises."""
    size = math.prod(content.shape)
    if packed.getinfo(f"{key}.npy").file_size > size + HEADER_ROOM:
        raise ValueError(f"{key} unpacks to more than the {size} bytes of the array")
    with packed.open(f"{key}.npy") as member:
        shape, column_order, dtype = _header(member)
        if shape != content.shape or column_order or dtype != np.uint8:
            raise ValueError(
                f"{key} is an array of shape {shape} and type {dtype}, expected shape {content.shape} and uint8"
            )
        data = np.empty(size, np.uint8)
        digest = hashlib.sha256()
        done = 0
        while done < size:
            block = member.read(min(BLOCK, size - done))
            if not block:
                raise ValueError(f"{key} ends after {done} of {size} bytes")
            digest.update(block)
            data[done : done + len(block)] = np.frombuffer(block, np.uint8)
            done += len(block)
    if digest.hexdigest() != content.sha256:
        raise ValueError(f"{key} has the SHA-256 {digest.hexdigest()}, expected {content.sha256}")
    return data.reshape(content.shape)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, column order and type from the head of an .npy file."""
    version = np.lib.format.read_magic(member)
    if version not in HEADERS:
        raise ValueError(f"an array has the .npy version {version}, expected 1.0 or 2.0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a header that Python 2 wrote: it is as good
            return HEADERS[version](member)
    except Exception as error:  # the header is Python text: damaged, any error of the tokenizer
        raise ValueError(f"the header of an array cannot be read: {error}") from error
