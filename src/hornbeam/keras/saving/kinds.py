"""What a path leads to: told by content, never by the name; and the errors where it leads to nothing that can be loaded."""

from __future__ import annotations

import os
from typing import Any, BinaryIO, TypeGuard

from hornbeam.core.errors import did_you_mean
from hornbeam.keras.saving import archive, foreign, legacy_h5
from hornbeam.keras.saving.h5_store import SIGNATURE as HDF5
from hornbeam.keras.saving.zips import LOCAL as ZIP

_HEAD = 4096
_HAS_WEIGHTS = "it holds weights alone. Make the model, then call model.load_weights({path!r})."
_DESCRIBED = {
    **dict.fromkeys(("hdf5", "shards", "safetensors"), _HAS_WEIGHTS),
    "structure": "it is the structure of a model alone, without weights: keras.models.model_from_json(open({path!r}).read()) "
    "makes one.",
    "no model": "it is a folder without config.json.",
    "empty": "it is empty.",
    "device": "it is a device or a pipe. Copy what comes out of it to a file, or load it from an io.BytesIO.",
}


def kind_of(path: str) -> str:
    """Return what a file or folder is, by its content."""
    if os.path.isdir(path):
        names = set(os.listdir(path))
        if archive.CONFIG in names:
            return "folder"
        return "saved model" if names & {"saved_model.pb", "keras_metadata.pb"} else "no model"
    if not os.path.isfile(path):
        return "device"  # reading might wait for ever
    head = _head(path)
    if head.startswith(ZIP):
        return "archive"
    if head.startswith(HDF5):
        return "legacy" if legacy_h5.is_legacy(path) else "hdf5"
    # The length of a header, whose first byte may be any; a text would make it enormous.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40:
        return "safetensors"
    if head[:1] == b"{":
        return "structure" if b'"class_name"' in head else "shards"
    return "unknown" if head else "empty"


def not_loadable(path: str, kind: str, what: str) -> ValueError:
    """Return the error for a file or folder without `what`, "whole model" or "weights"."""
    if kind == "no model" and (inside := _inside(path)):
        text = f"it is a folder; {inside}"
    elif kind in _DESCRIBED:
        text = _DESCRIBED[kind].format(path=path)
    else:
        text = foreign.described(path, _head(path))
    return ValueError(f"{path} holds no {what} that can be loaded: {text}")


def path_of(filepath: Any) -> str:
    """Return a path as text. Raises TypeError for what is no path."""
    if not isinstance(filepath, (str, bytes, os.PathLike)):
        raise TypeError(
            f"Expected the path of a file, a text or a pathlib.Path; received {filepath!r} (a {type(filepath).__name__})."
        )
    return os.fsdecode(filepath)  # type: ignore[arg-type]


def is_open_file(target: object) -> TypeGuard[BinaryIO]:
    """Return whether a model is written to, or read from, a file that is open already, as `tempfile` and `io` make them."""
    is_path = isinstance(target, (str, bytes, os.PathLike))
    return not is_path and hasattr(target, "read") and hasattr(target, "seek")


def check_source(path: str) -> None:
    """Raise an error where there is nothing at `path`."""
    if os.path.exists(path):
        return
    if not path:
        raise FileNotFoundError("The path is empty: give the name of a file.")
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.isdir(folder):
        hint = f" The folder {folder} does not exist."
    else:
        near = did_you_mean(name, _listed(folder))
        hint = f"{near} It was looked for in the folder {folder}."
    raise FileNotFoundError(f"There is no file {path}.{hint}")


def _head(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(_HEAD)


def _inside(path: str) -> str:
    """Return which files of a folder hold models or weights, to end a sentence; nothing where none do."""
    names = _listed(path)
    files = [each for each in names if each.endswith((".keras", ".h5", ".hdf5", ".safetensors"))]
    files += [each.removesuffix(".index") for each in names if each.endswith(".index")]
    return (
        f"give one of the files in it, for instance {os.path.join(path, files[0])!r}."
        if files
        else ""
    )


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # may be entered, not listed
        return []
