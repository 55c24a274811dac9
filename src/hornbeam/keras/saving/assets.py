"""Files that objects keep beside their weights, such as vocabularies: `assets/<place of the object>/...`.

Objects write and read them by their methods `save_assets(folder)` and `load_assets(folder)`. The folder that a method
gets when a model is loaded is a new one with copies; names from a file never lead out of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from hornbeam.keras.saving.places import places

ASSETS = "assets"
_MAX_BYTES = 4 << 30  # of one object's files together


class Files(Protocol):
    """Where the files of a saved model are."""

    name: str

    def names(self) -> list[str]:
        """Return the names of the members, with slashes."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Return a member as a file."""
        ...


def write(model: Any, folder: str) -> list[tuple[str, str]]:
    """Let the objects of a model write their files into a folder; return the names of the members and the paths."""
    for place, obj in places(model):
        if hasattr(obj, "save_assets"):
            inside = os.path.join(folder, ASSETS, *place.split("/"))
            os.makedirs(inside, exist_ok=True)
            obj.save_assets(inside)
            if not os.listdir(inside):
                os.removedirs(inside)
    found = list(_files(folder))
    for name, _ in found:
        if _is_unsafe(name):
            raise ValueError(
                f"A file that save_assets() has written would not be loaded again: {name!r} has a colon or a backslash in it."
            )
    return found


def _is_unsafe(name: str) -> bool:
    """Return whether a name with slashes could lead out of the folder that it is in, on any system."""
    return any(part in ("", ".", "..") or set(part) & set("\\:\0") for part in name.split("/"))


def _files(folder: str) -> Iterator[tuple[str, str]]:
    for place, _, names in sorted(os.walk(os.path.join(folder, ASSETS))):
        for name in sorted(names):
            path = os.path.join(place, name)
            yield os.path.relpath(path, folder).replace(os.sep, "/"), path


def read(model: Any, files: Files) -> None:
    """Let the objects of a model read their files."""
    names = [name for name in files.names() if name.startswith(f"{ASSETS}/")]
    for place, obj in places(model) if names else ():
        prefix = f"{ASSETS}/{place}/" if place else f"{ASSETS}/"
        own = [name for name in names if name.startswith(prefix)]
        if own and hasattr(obj, "load_assets"):
            with tempfile.TemporaryDirectory() as folder:
                _copy(files, own, prefix, folder)
                obj.load_assets(folder)


def _copy(files: Files, names: list[str], prefix: str, folder: str) -> None:
    """Copy members into a folder. Raises ValueError for names that would lead out of it, and for too much."""
    left = _MAX_BYTES
    for name in names:
        inner = name.removeprefix(prefix)
        if _is_unsafe(inner):
            raise ValueError(f"{files.name} holds a file with an unsafe name: {name!r}.")
        path = os.path.join(folder, *inner.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with files.open(name) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
            left -= target.tell()
        if left < 0:
            raise ValueError(
                f"{files.name}: the files in {prefix} are larger than {_MAX_BYTES} bytes."
            )
