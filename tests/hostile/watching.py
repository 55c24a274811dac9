"""Watch an attempt to read a file: how it ends, what it costs, and what the interpreter is asked to do meanwhile."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbeam.keras.saving.inspection import inspected

# What a file has no business to cause. Names of the interpreter's audit events.
FORBIDDEN = (
    "exec",
    "import",
    "marshal.loads",
    "pickle.find_class",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
    "urllib.Request",
    "ctypes.dlopen",
    "shutil.copytree",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.symlink",
)
_events: list[str] = []
_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, mode = arguments[0], arguments[1]
        if str(path) == tempfile.gettempdir():
            return  # a file without a name
        if isinstance(mode, str) and set(mode) & set("wax+"):
            _events.append(f"open {path} {mode}")
        elif str(path) in ("/etc/passwd", "raw", "secret.h5"):
            _events.append(f"open {path}")
    elif event in FORBIDDEN:
        _events.append(f"{event} {str(arguments[:1])[:80]}")


def _peak() -> int:
    """Return the largest memory since the last call of `_reset`, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _reset() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def inspect(path: Path) -> None:
    """Go through all that `hornbeam show` and `hornbeam check` go through."""
    with inspected(path) as contents:
        for check in contents.checks.values():
            try:
                check()
            except (OSError, ValueError):
                continue


def start_watching() -> None:
    """Note from now on what attempts ask of the interpreter; this can't be ended in a process."""
    sys.addaudithook(_watch)


@dataclass(frozen=True)
class Seen:
    """How an attempt ended, and what it cost."""

    error: BaseException | None
    seconds: float
    """Of processor time."""
    bytes: int
    """By which the largest memory grew."""
    events: list[str]
    """What no file may cause; nothing without `start_watching`."""

    @property
    def told(self) -> str:
        """The text of the error, with its notes."""
        return "\n".join([str(self.error), *getattr(self.error, "__notes__", ())])


def observe(act: Callable[[], object]) -> Seen:
    """Make an attempt."""
    global _watching
    _events.clear()
    before, start = _reset(), time.process_time()
    error: BaseException | None = None
    _watching = True
    try:
        act()
    except BaseException as caught:
        error = caught
    _watching = False
    return Seen(error, time.process_time() - start, _peak() - before, list(_events))
