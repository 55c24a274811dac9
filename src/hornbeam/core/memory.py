"""Let freed memory be used again.

A compiled step takes its scratch memory from malloc and frees it at its end. The C library of Linux (glibc) returns
pieces of more than 32 MB to the system at once, and the next step gets fresh pages that the system has to clear first:
at about 1 ms for 4 MB that is a third of the step of a small residual network. A piece above 64 MB can be kept only in the
process's first arena, and JAX takes it in whichever of its threads: all of them have to share that arena, which a thread
chooses when it first asks for memory. So malloc has to be told before JAX starts its threads, which it does when it first
touches a device: at the start of `python -m hornbeam`, and elsewhere when the first variable is made. Importing Hornbeam
changes nothing.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

# mallopt's names for them, from malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
CONFIGURING = {
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_ARENA_MAX",
    "GLIBC_TUNABLES",
}
KEPT = 1 << 30  # pieces up to 1 GiB are kept
NEVER = 2**31 - 1  # the largest threshold: nothing is trimmed


@functools.cache
def keep_freed_memory() -> bool:
    """Tell malloc, once in a process, to keep freed memory; return whether it was done.

    The process then holds on to its peak of memory. Does nothing where there is no glibc, or where the environment
    configures malloc (`MALLOC_MMAP_THRESHOLD_`, `MALLOC_TRIM_THRESHOLD_`, `MALLOC_ARENA_MAX`,
    `GLIBC_TUNABLES`).
    """
    if not sys.platform.startswith("linux") or CONFIGURING & set(os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    options = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, KEPT), (_TRIM_THRESHOLD, NEVER))
    return all(mallopt(*option) for option in options)
