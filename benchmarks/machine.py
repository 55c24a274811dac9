"""What the figures were measured on: a number without its machine means nothing."""

import os
import platform
import resource
from pathlib import Path
from typing import Any

BUSY = 0.5
"""Load average (runnable processes, 1 minute) above which an idle machine is not idle."""


def describe() -> dict[str, Any]:
    """CPU model, cores this process may use, memory, system, Python and load; no host name."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cpu_flags": _wide_instructions(),
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def cores() -> int:
    """Cores that this process may run on (a container's share, not the whole host)."""
    if hasattr(os, "sched_getaffinity"):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_mib() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB; on macOS bytes
    return round(peak / (2**20 if platform.system() == "Darwin" else 2**10), 1)


def _wide_instructions() -> list[str]:
    """The instruction sets that decide how fast a CPU multiplies matrices."""
    telling = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
    present = (_field("/proc/cpuinfo", "flags") or "").split()
    return [flag for flag in telling if flag in present]


def _memory_gib() -> float | None:
    total = _field("/proc/meminfo", "MemTotal")  # such as "24576000 kB"
    return round(int(total.split()[0]) / 2**20, 1) if total else None


def _field(path: str, name: str) -> str | None:
    """The value of the first `name : value` line of a /proc file; None elsewhere than Linux."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
