"""Files that appear whole or not at all.

The bytes go to a file without a name (`O_TMPFILE`), which the system removes even when the process is killed. Only when all of
them are on the disk does the file get a hidden name beside the target, which is renamed at once. Where the system or the
file system has no such files, a hidden `.part` takes their place, which every error removes. A kill between the two names
leaves a hidden name behind, which the next writer of the target removes: writers hold a lock on what is theirs.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Callable, Collection, Generator
from typing import BinaryIO

from hornbeam.core.steady import steady_open

if sys.platform != "win32":
    import fcntl

__all__ = [
    "FULL",
    "atomic_write",
    "explaining",
    "hidden_name",
    "lock",
    "remove_left_behind",
    "resolved",
    "sync_folder",
]

# What `open` answers where the file system (or an old kernel) has no files without a name.
_NO_UNNAMED_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
# The disk, a quota or a limit is exhausted.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What an attempt to sync a folder answers where that can't be done.
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR)


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Generator[BinaryIO]:
    """Open a file for writing and reading that takes the name `path` only when the block ends without an error.

    An error, a kill or a power cut leaves the old file or the new one, and nothing else. Of two writers, the one that
    ends later wins. As with `open`, a symbolic link is followed, new files get the permissions that the umask allows,
    and an old file's permissions stay. The name of the open file is a path for other functions of this process.

    Raises:
        OSError: of the class that fits (PermissionError, FileNotFoundError, IsADirectoryError, ...), with the path, the
            reason and what to do; what can be known before is raised before the block begins.

    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with atomic_write(os.path.join(folder, "a.txt")) as file:
    ...     _ = file.write(b"all of it")
    >>> os.listdir(folder)
    ['a.txt']
    """
    target = resolved(path)
    with explaining(target):
        old = _old_file(target)
        hidden = hidden_name(target)
        remove_left_behind(target)
        handle = _without_name(os.path.dirname(target))
        unnamed = handle is not None
        if handle is None:
            hidden, handle = _with_hidden_name(target)
        else:
            lock(handle)

    def opened(*_: object) -> int:
        return handle

    name = f"/proc/self/fd/{handle}" if unnamed else hidden
    try:
        with explaining(target, FULL), steady_open(name, opened) as file:
            yield file
            file.flush()
            with explaining(target):
                if old is not None:
                    _keep_permissions(file.fileno(), old)
                os.fsync(file.fileno())
                if unnamed:
                    # With a handle of a folder Python calls `linkat`, which follows the link in /proc; `link` would not.
                    os.link(name, hidden, src_dir_fd=file.fileno())
                if sys.platform != "win32":  # while the lock is held
                    os.replace(hidden, target)
        if sys.platform == "win32":  # which renames no open file
            with explaining(target):
                os.replace(hidden, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(hidden)
        raise
    sync_folder(os.path.dirname(target))


def resolved(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of what is to be written, with symbolic links followed."""
    return os.path.realpath(os.fsdecode(path))


def hidden_name(target: str) -> str:
    """Return a new hidden path beside `target`."""
    return _hidden(str, target, uuid.uuid4().hex)


def _hidden(escape: Callable[[str], str], target: str, number: str) -> str:
    """Return the form of hidden paths, with `escape` applied to what the target gives to it."""
    folder, name = os.path.split(target)
    return os.path.join(escape(folder), f".{escape(name[:40])}.{number}.part")


def lock(handle: int) -> None:
    """Lock what a handle has open until it is closed or the process ends, where the system and the file system can."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)


def remove_left_behind(target: str) -> None:
    """Remove what has a hidden name of this target and is written by no process any more."""
    if sys.platform == "win32":
        return
    # The pattern finds nothing where the folder can't be listed.
    for place in glob.glob(_hidden(glob.escape, target, "[0-9a-f]" * 32)):
        with contextlib.suppress(OSError):
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if stat.S_ISDIR(os.fstat(handle).st_mode):
                    shutil.rmtree(place, ignore_errors=True)
                else:
                    os.unlink(place)
            finally:
                os.close(handle)


def _old_file(target: str) -> os.stat_result | None:
    """Return what is known of the file that will be replaced; raise where it must not be."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(
            errno.EISDIR, "A folder has this name; choose another, or move the folder", target
        )
    if not stat.S_ISREG(old.st_mode):
        raise FileExistsError(
            errno.EEXIST, "A device or pipe has this name, which can't be replaced", target
        )
    if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(
            errno.EACCES, "The file is protected from writing; choose another name", target
        )
    return old


def _without_name(folder: str) -> int | None:
    """Return a handle of a new file without a name in `folder`, or None where there are none."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None:
        return None
    try:
        handle = os.open(folder, flag | os.O_RDWR, 0o666)
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return None
        raise
    if os.path.exists(f"/proc/self/fd/{handle}"):
        return handle
    os.close(handle)  # without /proc it could never get a name
    return None


def _with_hidden_name(target: str) -> tuple[str, int]:
    """Return a new hidden path beside `target` and a handle of the file there, locked."""
    while True:
        hidden = hidden_name(target)
        handle = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        lock(handle)
        if os.path.exists(hidden):
            return hidden, handle
        os.close(handle)  # another writer removed it before it was locked


def _keep_permissions(handle: int, old: os.stat_result) -> None:
    """Set the owner, where that is allowed, and the permissions of the file that will be replaced."""
    if not hasattr(os, "fchmod"):
        return
    new = os.fstat(handle)
    for owner, group in ((old.st_uid, -1), (-1, old.st_gid)):
        if owner not in (-1, new.st_uid) or group not in (-1, new.st_gid):
            with contextlib.suppress(OSError):
                os.fchown(handle, owner, group)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))


def sync_folder(folder: str) -> None:
    """Bring the names of a folder to the disk, where the system can (Windows cannot)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


@contextlib.contextmanager
def explaining(target: str, only: Collection[int] | None = None) -> Generator[None]:
    """Add the reason and what to do about it to errors of the system in writing `target`, or to some of them."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        hint = _hints(os.path.dirname(target)).get(number)
        known = error.filename == target and error.strerror != os.strerror(number)
        if hint is None or known or (only is not None and number not in only):
            raise
        raise OSError(number, f"{os.strerror(number)}; {hint}", target) from error


def _hints(folder: str) -> dict[int, str]:
    forbidden = f"writing in the folder {folder} is not allowed"
    full = "nothing was changed; free some space, or choose another disk"
    return {
        errno.ENOENT: f"make the folder {folder} first, or check the path",
        errno.ENOTDIR: f"a part of {folder} is a file; check the path",
        errno.EACCES: forbidden,
        errno.EPERM: forbidden,
        errno.EROFS: f"the folder {folder} is on a disk that can only be read",
        errno.ENOSPC: full,
        errno.EDQUOT: full,
        errno.EFBIG: "nothing was changed; a limit of the system forbids files of this size",
        errno.ENAMETOOLONG: "choose a shorter name",
    }
