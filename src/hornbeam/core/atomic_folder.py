"""Folders that appear whole or not at all, as `hornbeam.core.atomic` writes files."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Collection, Generator

from hornbeam.core.atomic import (
    FULL,
    explaining,
    hidden_name,
    lock,
    remove_left_behind,
    resolved,
    sync_folder,
)

__all__ = ["atomic_folder", "remove", "replace_folder"]

_AT_FDCWD = -100
_EXCHANGE = 2


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str], owned: Collection[str]) -> Generator[str]:
    """Make a folder that takes the name `path` only when the block ends without an error; the block gets its hidden path.

    An old folder of that name stays until then and is replaced as a whole, so it may hold nothing but the names `owned`.
    Everything reaches the disk before the name does. What an earlier process left behind when it was killed is removed.

    Raises:
        FileExistsError: where the old folder holds anything else, which would be lost, or a file has the name.
        OSError: of the class that fits, with the path, the reason and what to do.

    >>> import os, tempfile
    >>> folder = os.path.join(tempfile.mkdtemp(), "model")
    >>> with atomic_folder(folder, owned={"config.json"}) as hidden:
    ...     with open(os.path.join(hidden, "config.json"), "w") as file:
    ...         _ = file.write("{}")
    >>> os.listdir(folder)
    ['config.json']
    """
    target = resolved(path)
    with explaining(target):
        mode = _old_folder(target, owned)
        remove_left_behind(target)
        part, handle = _new_folder(target)
    try:
        with explaining(target, FULL):
            yield part
        with explaining(target):
            _sync_tree(part)
            if mode is not None:
                os.chmod(part, mode)
            replace_folder(part, target)
    finally:
        remove(part)
        if handle is not None:
            os.close(handle)


def _old_folder(target: str, owned: Collection[str]) -> int | None:
    """Return the permissions of the folder that will be replaced; raise where it must not be."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        raise FileExistsError(
            errno.EEXIST, "A file has this name; choose another, or remove the file", target
        )
    others = sorted(set(os.listdir(target)) - set(owned))
    if others:
        listed = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
        raise FileExistsError(
            errno.EEXIST,
            f"The folder would be replaced, and {listed} in it would be lost; choose another name",
            target,
        )
    return stat.S_IMODE(found.st_mode)


def _sync_tree(folder: str) -> None:
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            handle = os.open(os.path.join(place, name), os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(place)


def replace_folder(part: str, target: str) -> None:
    """Name the folder `part` as `target`, on the disk, too, and remove what had the name.

    Linux exchanges the two in one step. Elsewhere there is a moment without either, and an error puts the old one back.
    """
    old = _take_name(part, target)
    try:
        # A power cut must not bring back a folder that is half removed.
        sync_folder(os.path.dirname(target))
    finally:
        remove(old)


def remove(place: str) -> None:
    """Remove a folder, file or link as far as that works."""
    with contextlib.suppress(OSError):
        if os.path.isdir(place) and not os.path.islink(place):
            shutil.rmtree(place, ignore_errors=True)
        else:
            os.unlink(place)


def _take_name(part: str, target: str) -> str:
    """Rename `part` to `target`; return the name that the old one has now."""
    if not os.path.lexists(target):
        try:
            os.rename(part, target)
            return part
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another writer was first
                raise
    if _exchanged(part, target):
        return part
    old = f"{part}.old"
    os.rename(target, old)
    try:
        os.rename(part, target)
    except BaseException:
        os.rename(old, target)
        raise
    return old


def _exchanged(part: str, target: str) -> bool:
    """Exchange two names in one step; return False where the system can't."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(part), _AT_FDCWD, os.fsencode(target), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), target)


def _new_folder(target: str) -> tuple[str, int | None]:
    """Make a hidden folder; return it with a handle that holds a lock on it, which ends with the process."""
    while True:
        part = hidden_name(target)
        os.mkdir(part)
        if sys.platform == "win32":
            return part, None
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(part, os.O_RDONLY)
            lock(handle)
            if os.path.exists(part):
                return part, handle
            os.close(handle)  # another writer removed it before it was locked
