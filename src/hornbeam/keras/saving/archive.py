"""Whole models in `.keras` archives and unzipped folders, exchanged with Keras 3 both ways.

An archive holds `model.weights.h5`, `metadata.json`, `config.json` and `assets/`. Its weights begin at byte 512, where
HDF5 looks for a file inside a file: the archive is a valid zip and a valid HDF5 file, and weights are written and read in
place, one array after the other (docs/design/0024-whole-models-in-keras-archives.md).
"""

from __future__ import annotations

import datetime
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, BinaryIO, Protocol

from hornbeam.core import __version__, deferred
from hornbeam.core.atomic import atomic_write
from hornbeam.core.atomic_folder import atomic_folder
from hornbeam.core.pieces import Digest
from hornbeam.core.steady import digest_of, hash_from, steady_open
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.registry import deserialize_keras_object
from hornbeam.keras.registry.reading import sharing_objects
from hornbeam.keras.registry.unknown import check_known
from hornbeam.keras.registry.writing import serialize_sharing
from hornbeam.keras.saving import assets, foreign, keras2_archive, safe_json, weights_h5
from hornbeam.keras.saving.assets import ASSETS
from hornbeam.keras.saving.described import described_in
from hornbeam.keras.saving.h5_store import H5File, h5_writing
from hornbeam.keras.saving.undrawn import draw_the_rest
from hornbeam.keras.saving.zips import ZipReader, ZipWriter, digest

WEIGHTS, METADATA, CONFIG = "model.weights.h5", "metadata.json", "config.json"
FORMAT_VERSION = "3.15.1"  # of Keras, whose format this is
_WEIGHTS_START = 512
_ALIGNED = {"alignment_threshold": 64, "alignment_interval": 64}
_LARGE = 16 << 20  # numbers in the weights from which on
_NAMES = 1 << 20  # their names get so many bytes in one place


def save(model: Layer, path: str) -> None:
    """Write a model into an archive, which is there completely or not at all."""
    config = config_text(model)
    with atomic_write(path) as stream:
        _write(model, config, stream)


def save_to_stream(model: Layer, stream: BinaryIO) -> None:
    """Write a model as an archive into a file that the user has opened."""
    config = config_text(model)
    with (
        tempfile.TemporaryDirectory() as folder,
        steady_open(os.path.join(folder, "model")) as file,
    ):
        _write(model, config, file)
        file.seek(0)
        shutil.copyfileobj(file, stream)


def _write(model: Layer, config: bytes, stream: BinaryIO) -> None:
    hash_from(stream, _WEIGHTS_START)
    with h5_writing(stream, userblock_size=_WEIGHTS_START, **_layout(model)) as file:
        weights_h5.write(model, file, whole=True)
    weights = digest_of(stream)
    archive = ZipWriter(stream)
    archive.adopt(WEIGHTS, _WEIGHTS_START, weights.size, weights.crc)
    archive.add(CONFIG, config)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in assets.write(model, folder):
            archive.add_file(name, path)
    archive.add(METADATA, metadata_text(archive.hashes, weights))
    archive.finish()


def save_folder(model: Layer, path: str) -> None:
    """Write a model as a folder of the files that an archive holds."""
    config = config_text(model)
    with atomic_folder(path, owned={WEIGHTS, METADATA, CONFIG, ASSETS}) as folder:
        with steady_open(os.path.join(folder, WEIGHTS)) as stream:
            hash_from(stream)
            with h5_writing(stream, **_layout(model)) as file:
                weights_h5.write(model, file, whole=True)
            weights = digest_of(stream)
        _write_file(os.path.join(folder, CONFIG), config)
        paths = {CONFIG: os.path.join(folder, CONFIG), **dict(assets.write(model, folder))}
        hashes = {}
        for name, place in paths.items():
            with open(place, "rb") as stream:
                hashes[name] = digest(stream, 0, os.path.getsize(place))[1]
        _write_file(os.path.join(folder, METADATA), metadata_text(hashes, weights))


def _layout(model: Layer) -> dict[str, int]:
    """Return the options of HDF5 for the weights of a model.

    The names of a large file stand together at its beginning: HDF5 writes them last, and what is written twice is hashed twice.
    """
    is_large = sum(math.prod(variable.shape) for variable in model.variables) > _LARGE
    return {**_ALIGNED, **({"meta_block_size": _NAMES} if is_large else {})}


def _write_file(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def config_text(model: Layer) -> bytes:
    """Return the configuration of a model as JSON."""
    return safe_json.text(serialize_sharing(model), f"The configuration of {model.name!r}")


def metadata_text(hashes: Mapping[str, str], weights: Digest) -> bytes:
    """Return what is said about the file itself: versions, the date, and the SHA-256 of every other member.

    That of the weights is of their pieces (`hornbeam.core.pieces`).
    """
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {
        "keras_version": FORMAT_VERSION,
        "date_saved": now,
        "hornbeam_version": __version__,
        "sha256": dict(hashes),
        "sha256_of_pieces": {WEIGHTS: weights.sha256},
    }
    return json.dumps(metadata).encode()


class Container(Protocol):
    """The files of a saved model, in an archive or in a folder."""

    name: str

    def names(self) -> list[str]:
        """Return the names of the members, with slashes."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a member of at most `limit`."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Return a member as a file."""
        ...


class Archive(ZipReader):
    """The files of a model in an archive."""

    def names(self) -> list[str]:
        """Return the names of the members."""
        return list(self.members)


class Folder:
    """The files of a model in a folder: regular files with known names, and what lies in `assets`."""

    def __init__(self, path: str) -> None:
        """`path` is that of the folder."""
        self.name = path

    def names(self) -> list[str]:
        """Return the names of the files, with slashes; links to folders are not followed."""
        found = [each for each in (WEIGHTS, METADATA, CONFIG) if self._is_file(each)]
        for place, _, files in os.walk(os.path.join(self.name, ASSETS)):
            inner = os.path.relpath(place, self.name).replace(os.sep, "/")
            found += [f"{inner}/{each}" for each in files if self._is_file(f"{inner}/{each}")]
        return found

    def _is_file(self, name: str) -> bool:
        try:
            return stat.S_ISREG(os.stat(os.path.join(self.name, name)).st_mode)
        except OSError:
            return False

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a file of at most `limit`."""
        with self.open(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise ValueError(
                f"{self.name}: {name} has more than {limit} bytes, which is the most that are read."
            )
        return data

    def open(self, name: str) -> BinaryIO:
        """Return a file, open for reading."""
        return open(os.path.join(self.name, name), "rb")


@contextmanager
def opened(source: str | BinaryIO) -> Generator[Container]:
    """Open a saved model: a path of an archive or a folder, or an open file."""
    if isinstance(source, str) and os.path.isdir(source):
        yield Folder(source)
    elif isinstance(source, str):
        with open(source, "rb") as stream:
            yield Archive(stream, source)
    else:
        yield Archive(source, str(getattr(source, "name", "The file")))


@contextmanager
def opened_weights(container: Container, check: bool = True) -> Generator[H5File]:
    """Open the weights of a saved model; without `check`, what an archive has for them is not compared with its CRC-32."""
    if WEIGHTS not in container.names():
        raise ValueError(
            f"{container.name} holds no {WEIGHTS}.{foreign.described_archive(container.names())}"
        )
    if check and isinstance(container, Archive):
        container.check(WEIGHTS)
    name = f"{container.name}: {WEIGHTS}"
    with container.open(WEIGHTS) as stream, H5File(stream, name) as file:
        yield file


def _checking(container: Container) -> AbstractContextManager[None]:
    """Compare the weights with the checksum that an archive has for them, while they are used."""
    if isinstance(container, Archive) and WEIGHTS in container.members:
        return container.checking(WEIGHTS)
    return nullcontext()


def read_config(container: Container) -> dict[str, Any]:
    """Return the configuration of a saved model."""
    if CONFIG not in container.names():
        other = foreign.described_archive(container.names())
        raise ValueError(
            f"{container.name} holds no {CONFIG}: it is no saved model of Keras.{other}"
        )
    place = f"{container.name}: {CONFIG}"
    config = safe_json.parse(container.read(CONFIG, safe_json.MAX_BYTES), place)
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"{place} does not describe a model.")
    return config


def read_metadata(container: Container) -> dict[str, Any]:
    """Return what a saved model says about itself; nothing where it says nothing."""
    if METADATA not in container.names():
        return {}
    data = container.read(METADATA, safe_json.MAX_BYTES)
    found = safe_json.parse(data, f"{container.name}: {METADATA}")
    return found if isinstance(found, dict) else {}


def _form(container: Container) -> tuple[Callable[..., Any], Callable[..., None]]:
    """Return what makes the model of a configuration, and what reads its weights: those of Keras 2 are other ones."""
    if str(read_metadata(container).get("keras_version")).startswith("2."):
        return keras2_archive.made, keras2_archive.read_weights
    return _made, weights_h5.read


def load(
    source: str | BinaryIO, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model of an archive or folder, compiled as it was unless `compile` is False."""
    with opened(source) as container:
        config = read_config(container)
        if not compile:
            config.pop("compile_config", None)
        make, read = _form(container)
        with deferred.deferred_values() as made:
            with described_in(f"{container.name}: {CONFIG}"):
                model = make(config, container.name, custom_objects)
            _check_is_model(model, container.name)
            # Nobody has the model yet: it may take its weights while their checksum is computed.
            with _checking(container), opened_weights(container, check=False) as file:
                read(model, file, whole=True)
            assets.read(model, container)
        draw_the_rest(model, made, container.name)
    return model


def _made(config: dict[str, Any], name: str, custom_objects: Mapping[str, Any] | None) -> Any:
    with sharing_objects():
        check_known(config, name, custom_objects)
        return deserialize_keras_object(config, custom_objects)


def load_weights(
    model: Layer, path: str, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] = ()
) -> None:
    """Read the weights of a model out of an archive or folder."""
    with opened(path) as container, opened_weights(container) as file:
        _, read = _form(container)
        read(model, file, skip_mismatch, objects_to_skip)


def _check_is_model(model: object, name: str) -> None:
    if not isinstance(model, Layer):
        raise ValueError(f"{name} describes a {type(model).__name__}, not a model.")
