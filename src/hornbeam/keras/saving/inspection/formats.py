"""Each format: how to know it, and what to look for in it."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

from hornbeam.core.pieces import sha256_of_pieces
from hornbeam.keras.saving import archive, checksums
from hornbeam.keras.saving.h5_store import Group, H5File
from hornbeam.keras.saving.inspection.contents import (
    Array,
    Contents,
    check_hash,
    json_of,
    sha256,
    text_of,
)
from hornbeam.keras.saving.kinds import kind_of, not_loadable
from hornbeam.keras.saving.safetensors import SafetensorsFile
from hornbeam.keras.saving.sharded import ShardedFile
from hornbeam.keras.saving.state_folder import StoredState
from hornbeam.train.bundle import Bundle, index_file

_VERSIONS = ("keras_version", "backend")


class UnknownFormatError(ValueError):
    """What was named is no file of a model that can be inspected."""


@contextmanager
def inspected(path: str | os.PathLike[str]) -> Generator[Contents]:
    """Open a file, a folder, or the prefix of a checkpoint.

    Raises FileNotFoundError where there is nothing, and ValueError for what can't be opened at all.
    """
    place = os.fspath(path)
    with ExitStack() as stack:
        yield _found(place, stack)


def _found(place: str, stack: ExitStack) -> Contents:
    prefix = place.removesuffix(".index")
    if (prefix != place or not os.path.exists(place)) and index_file(prefix).is_file():
        return _checkpoint(prefix)
    if not os.path.exists(place):
        raise FileNotFoundError(f"There is no file, folder or checkpoint {place}.")
    kind = kind_of(place)
    if kind in ("archive", "folder"):
        return _whole_model(stack.enter_context(archive.opened(place)), stack)
    if kind == "saved model":
        return _saved_model(place)
    if kind == "no model":
        return _folder(place, stack)
    if kind == "shards":
        return _sharded(stack.enter_context(ShardedFile(place, check=False)))
    if kind == "empty":
        raise ValueError(f"{place} is empty.")
    if kind in ("unknown", "structure"):
        raise UnknownFormatError(str(not_loadable(place, kind, "model")))
    stream = stack.enter_context(open(place, "rb"))  # noqa: SIM115
    if kind == "safetensors":
        return _safetensors(SafetensorsFile(stream, place))
    return _hdf5(stack.enter_context(H5File(stream, place, check=False)))


def _folder(place: str, stack: ExitStack) -> Contents:
    names = set(os.listdir(place))
    if {"state.json", "state.h5"} & names:
        return _training_state(place, stack)
    inside = sorted(n.removesuffix(".index") for n in names if n.endswith(".index"))
    inside += sorted(n for n in names if n.startswith("state-"))
    if inside or "checkpoint" in names:
        what = ", ".join(inside[:5])
        raise UnknownFormatError(f"{place} is a folder of checkpoints; name one of them: {what}.")
    raise UnknownFormatError(f"{place} is a folder of no known kind.")


def _whole_model(container: archive.Container, stack: ExitStack) -> Contents:
    is_zip = isinstance(container, archive.Archive)
    contents = Contents(f"Whole model in a .keras {'archive' if is_zip else 'folder'}")
    metadata = archive.read_metadata(container)
    contents.facts = {
        key.replace("_", " "): text
        for key, value in metadata.items()
        if (text := text_of(value)) is not None
    }
    hashes, of_pieces = (_hashes(metadata, key) for key in ("sha256", "sha256_of_pieces"))
    contents.has_checksums = is_zip or archive.WEIGHTS in {**hashes, **of_pieces}
    for name in sorted({*container.names(), *map(str, hashes), *map(str, of_pieces)}):
        contents.checks[name] = lambda name=name: _member(container, name, hashes, of_pieces)
    for name in container.names():
        contents.members[name] = _size_of(container, name)
    try:
        contents.config = archive.read_config(container)
        contents.training = contents.config.pop("compile_config", None)
    except ValueError as error:
        contents.checks[f"{archive.CONFIG} as JSON"] = lambda error=error: _raise(error)
    try:
        contents.add_entries(
            stack.enter_context(archive.opened_weights(container, check=False)).entries()
        )
    except ValueError as error:
        contents.checks[archive.WEIGHTS] = lambda error=error: _raise(error)
    return contents


def _hashes(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    found = metadata.get(key)
    return found if isinstance(found, dict) else {}


def _size_of(container: archive.Container, name: str) -> int:
    with container.open(name) as stream:
        return stream.seek(0, os.SEEK_END)


def _member(
    container: archive.Container, name: str, hashes: dict[str, Any], of_pieces: dict[str, Any]
) -> None:
    """Compare a member with its checksum, where it has one, and with its hash."""
    if name not in container.names():
        raise ValueError(f"{container.name}: {name} is missing.")
    if isinstance(container, archive.Archive):
        container.check(name)
    for expected, hashed in ((hashes, sha256), (of_pieces, sha256_of_pieces)):
        if name in expected:
            with container.open(name) as stream:
                check_hash(hashed(stream), expected[name], f"{container.name}: {name}")


def _hdf5(file: H5File) -> Contents:
    root = file.root
    config = json_of(root.attribute("model_config"), f"{file.name}: model_config")
    is_legacy = config is not None or "layer_names" in root.attributes()
    contents = Contents(
        ("Whole model" if config is not None else "Weights") + " in legacy HDF5"
        if is_legacy
        else "Weights in HDF5",
        config=config,
        training=json_of(root.attribute("training_config"), f"{file.name}: training_config"),
    )
    contents.facts = _versions(root)
    contents.has_checksums = _add_checksums(contents, file)
    contents.add_entries(file.entries())
    return contents


def _add_checksums(contents: Contents, file: H5File) -> bool:
    """Let `check` compare the checksums of an HDF5 file; return whether it has any."""
    contents.checks[f"checksums of {file.name}"] = lambda: checksums.check(file.stream, file.name)
    try:
        return checksums.has_checksums(file.stream)
    except ValueError:  # which the check will raise again
        return True


def _versions(group: Group) -> dict[str, str]:
    found = {name.replace("_", " "): text_of(group.attribute(name)) for name in _VERSIONS}
    return {name: text for name, text in found.items() if text is not None}


def _sharded(store: ShardedFile) -> Contents:
    contents = Contents("Index of weights in several files", has_checksums=True)
    for name in store.shards():
        place = store.path.with_name(name)
        contents.members[name] = place.stat().st_size if place.is_file() else 0
        try:
            contents.has_checksums &= _add_checksums(contents, store.file(name))
            contents.add_entries(store.file(name).entries(), f"{name}: ")
        except (OSError, ValueError) as error:
            contents.checks[name] = lambda error=error: _raise(error)
    for group, names in store.groups.items():
        contents.checks[f"{store.name}: {group}"] = lambda g=group, n=names: _group(store, g, n)
    return contents


def _group(store: ShardedFile, group: str, names: list[str]) -> None:
    for name in names:
        if store.file(name).root.group(group.lstrip("/")) is None:
            raise ValueError(f"{store.name} leads to {name} for {group}, which is not there.")


def _raise(error: Exception) -> None:
    raise error


def _safetensors(file: SafetensorsFile) -> Contents:
    contents = Contents("Weights in safetensors", facts=dict(file.metadata))
    contents.has_checksums = file.has_checksums
    contents.checks[f"checksums of {file.name}"] = file.check
    contents.add_entries(file.entries())
    return contents


def _checkpoint(prefix: str) -> Contents:
    contents = Contents("Checkpoint of TensorFlow", has_checksums=True)
    _add_bundle(contents, prefix)
    return contents


def _add_bundle(contents: Contents, prefix: str) -> None:
    bundle = Bundle(prefix)
    for name in bundle:
        entry = bundle.entries[name]
        dtype = "text" if entry.dtype is None else entry.dtype.name
        contents.arrays.append(Array(name, dtype, entry.shape))
        contents.checks[name] = lambda name=name: _read(bundle, name)
    folder, start = os.path.split(prefix)
    for each in sorted(os.listdir(folder or ".")):
        if each == f"{start}.index" or each.startswith(f"{start}.data-"):
            contents.members[each] = os.path.getsize(os.path.join(folder, each))


def _read(bundle: Bundle, name: str) -> None:
    bundle.read(name)


def _training_state(place: str, stack: ExitStack) -> Contents:
    """Return a checkpoint that `BackupAndRestore` wrote; its hashes are compared as it is opened."""
    contents = Contents("State of a training", members=_sizes(place), has_checksums=True)
    entries = stack.enter_context(StoredState(place).entries())
    contents.add_entries(entries.values())
    return contents


def _saved_model(place: str) -> Contents:
    contents = Contents("SavedModel folder of TensorFlow")
    contents.members = _sizes(place)
    if "variables/variables.index" in contents.members:
        members = dict(contents.members)
        _add_bundle(contents, os.path.join(place, "variables", "variables"))
        contents.members = members
        contents.has_checksums = True
    return contents


def _sizes(place: str) -> dict[str, int]:
    found = {}
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, place).replace(os.sep, "/")] = os.lstat(path).st_size
    return dict(sorted(found.items()))
