"""Compiled programs kept on disk, so that the second run of a script starts without compiling.

The reading and writing is JAX's own persistent cache; this file says where it lies and keeps it sound. JAX writes entries
in place and never replaces one that does not load, so each entry is sealed with a checksum once it is written, and what
fails its checksum at the next start is removed and compiled anew.

The place is `HORNBEAM_CACHE`, else `hornbeam` in `XDG_CACHE_HOME` or `~/.cache`; `HORNBEAM_CACHE=0` keeps nothing.
Entries are machine code that will be run: the directory is the user's alone (mode 0700), and one that others may write to
is not used.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import importlib.metadata
import os
import stat
import sys
import tempfile
import time
import warnings
import zlib
from pathlib import Path

import jax

from hornbeam.core.jax_typed import set_config

_LIMIT = 512 << 20  # bytes; the oldest entries go first
_GRACE = 60.0  # seconds in which another process may still be writing
_WORTH_KEEPING = 0.05  # seconds of compilation


def root() -> Path | None:
    """Return the user's directory of caches, which may not exist yet; None if nothing is to be kept."""
    chosen = os.environ.get("HORNBEAM_CACHE")
    if chosen is not None:
        return None if chosen in ("", "0") else Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "hornbeam"
    except RuntimeError:  # no home directory
        return None


def directory() -> Path | None:
    """Return the directory where programs compiled by these versions for this processor are kept."""
    place = root()
    if place is None:
        return None
    made_by = (jax.__version__, importlib.metadata.version("jaxlib"), sys.platform, _processor())
    return place / "programs" / hashlib.sha256(repr(made_by).encode()).hexdigest()[:16]


def _processor() -> str:
    """Return what distinguishes processors that share a home directory: code for one may not run on another."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "".join(sorted({line for line in lines if line.startswith(("flags", "Features"))}))


@functools.cache
def open_cache() -> Path | None:
    """Let JAX keep its programs, once in a process. Return the directory, None where none is used.

    A directory that the user has configured for JAX is left alone. Never raises and never warns: without a cache all
    works, only the start is slower.
    """
    place = directory()
    if place is None or getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return None
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in (place, place.parent):
            each.chmod(0o700)
        if not _is_private(place):
            return None
        _sweep(place)
    except OSError:
        return None
    warnings.filterwarnings(
        "ignore", message="Error (reading|writing) persistent compilation cache"
    )
    set_config("jax_compilation_cache_dir", str(place))
    set_config("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)
    set_config("jax_persistent_cache_min_entry_size_bytes", -1)
    atexit.register(seal, place)
    return place


def _is_private(place: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True
    status = place.stat()
    return status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077


def seal(place: Path) -> None:
    """Write the checksums of the entries that have none yet."""
    try:
        for entry in place.glob("*-cache"):
            mark = _seal_of(entry)
            if not mark.exists():
                _write(mark, _checksum(entry))
    except OSError:
        pass


def _seal_of(entry: Path) -> Path:
    return entry.with_name(entry.name + ".crc")


def _checksum(entry: Path) -> str:
    return f"{zlib.crc32(entry.read_bytes()):08x}"


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(name, path)


def _sweep(place: Path) -> None:
    """Remove entries that are broken, then the oldest ones beyond the limit."""
    now = time.time()
    kept: list[tuple[float, int, Path]] = []
    for entry in place.glob("*-cache"):
        status, mark = entry.stat(), _seal_of(entry)
        sound = mark.exists() and mark.read_text() == _checksum(entry)
        if sound or (now - status.st_mtime < _GRACE and not mark.exists()):
            kept.append((status.st_mtime, status.st_size, entry))
        else:
            _remove(entry)
    total = 0
    for _, size, entry in sorted(kept, reverse=True):
        total += size
        if total > _LIMIT:
            _remove(entry)


def _remove(entry: Path) -> None:
    entry.unlink(missing_ok=True)
    _seal_of(entry).unlink(missing_ok=True)
