"""One training for each folder of checkpoints."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading

if sys.platform != "win32":
    import fcntl

_NAME = ".lock"
_held: set[str] = set()  # the folders of this process: the system's lock is one of processes
_guard = threading.Lock()


class FolderLock:
    """Holds a folder until `release`, or the end of the process, against other trainings, in threads and processes.

    Processes that are forked meanwhile do not hold it: they may outlive one that is killed.
    """

    def __init__(self) -> None:
        """Nothing is held."""
        self._path: str | None = None
        self._handle: int | None = None

    def acquire(self, folder: str) -> None:
        """Hold the folder. Raises OSError where another training holds it; on systems without such locks, go on."""
        path = os.path.join(os.path.realpath(folder), _NAME)
        with _guard:
            if path in _held:
                raise _busy(folder)
            if sys.platform != "win32":
                self._handle = _locked(path, folder)
            _held.add(path)
            self._path = path

    def release(self) -> None:
        """Hold it no longer; harmless where it is not held."""
        path, handle, self._path, self._handle = self._path, self._handle, None, None
        if path is None:
            return
        with _guard:
            _held.discard(path)
            if handle is not None:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # while it is locked: who opens it from now on makes a new one
                os.close(handle)


def _locked(path: str, folder: str) -> int | None:
    """Return a handle of the file, locked; None where files can't be locked."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(handle)):
                return handle
        except OSError as error:
            os.close(handle)
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise _busy(folder) from None
            return None
        os.close(handle)  # the training that held it has removed it meanwhile


def _busy(folder: str) -> OSError:
    return OSError(
        errno.EBUSY,
        "Another training that is still running keeps its checkpoints in `backup_dir`; wait for its end, or use another folder",
        folder,
    )
