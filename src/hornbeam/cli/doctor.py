"""`python -m hornbeam doctor`: what Hornbeam found on this machine, and what it uses.

It changes nothing and needs no network. What it prints is what a report of a problem should begin with.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax

import hornbeam
from hornbeam.core import compilation_cache
from hornbeam.keras.datasets._store import FOLDER_VARIABLE
from hornbeam.keras.utils.files import keras_home
from hornbeam.kernels import native

OPTIONAL = {
    "matplotlib": "plot",
    "pandas": "pandas",
}  # package: the extra that brings it


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; return the exit status."""
    argparse.ArgumentParser(prog="hornbeam doctor", description=__doc__).parse_args(argv)
    sys.stdout.write(report())
    return 0


def report() -> str:
    """All sections as text."""
    sections = {
        "Versions": _versions(),
        "Native CPU kernels": _kernels(),
        "Devices": _devices(),
        "Caches": _caches(),
        "Data sets": _datasets(),
    }
    lines = []
    for title, body in sections.items():
        lines += [title, *(f"  {line}" for line in body), ""]
    return "\n".join(lines)


def _versions() -> Iterator[str]:
    yield f"hornbeam {hornbeam.__version__}, in {Path(hornbeam.__file__).parent}"
    yield f"Python {platform.python_version()}, {platform.platform()}"
    for package in ("jax", "jaxlib", "numpy", "ml_dtypes", "h5py"):
        yield f"{package} {_version(package)}"
    for package, extra in OPTIONAL.items():
        found = _version(package)
        yield f"{package} {found}" if found else f"{package}: not installed (hornbeam[{extra}])"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _kernels() -> Iterator[str]:
    reason = native.why_not()
    info = native.info()
    if reason is not None:
        rest = (
            "Nothing runs"
            if native.required()
            else "All works on the reference kernels, more slowly"
        )
        yield f"not used: {reason}. {rest}."
    elif jax.default_backend() != "cpu":
        yield "loaded, and used for what runs on the CPU only"
    else:
        yield "used"
    if info:
        yield f"processor: {', '.join(info['cpu']) or 'no vector extensions that are used'}"
        yield f"oneDNN {info['onednn']}, built with GCC {info['compiler']}"
        if reason is None and "avx512" not in info["cpu"]:
            yield "bfloat16: the reference kernels, for the native ones need AVX-512"
        yield from _columns("kernels: ", info.get("kernels", []))


def _columns(start: str, names: Sequence[str], width: int = 100) -> Iterator[str]:
    line = start
    for name in names:
        if len(line) + len(name) > width:
            yield line.rstrip()
            line = " " * len(start)
        line += f"{name}, "
    if names:
        yield line.rstrip(", ")


def _devices() -> Iterator[str]:
    for device in jax.devices():
        yield f"{device.platform}:{device.id} {device.device_kind}"
    yield f"processor cores that may be used: {_cores()} of {os.cpu_count()}"
    for name in ("JAX_PLATFORMS", "XLA_FLAGS", "HORNBEAM_NATIVE", "HORNBEAM_CPU", "HORNBEAM_SEED"):
        if name in os.environ:
            yield f"{name}={os.environ[name]}"


def _cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _caches() -> Iterator[str]:
    place = compilation_cache.directory()
    if place is None:
        yield "compiled programs: not kept (HORNBEAM_CACHE)"
        return
    entries = list(place.glob("*-cache")) if place.is_dir() else []
    size = sum(entry.stat().st_size for entry in entries) / 1e6
    yield f"compiled programs: {place}, {len(entries)} of them, {size:.1f} MB"


def _datasets() -> Iterator[str]:
    folder = os.environ.get(FOLDER_VARIABLE)
    places = [(f"{FOLDER_VARIABLE}=", folder)] if folder else []
    if not folder:
        yield f"{FOLDER_VARIABLE}: not set"
    places.append(("cache shared with Keras: ", os.path.join(keras_home(), "datasets")))
    for title, place in places:
        path = Path(place).expanduser()
        files = sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else []
        yield f"{title}{path}{'' if path.is_dir() else ' (absent)'}"
        yield from (f"  {file.name} ({file.stat().st_size / 1e6:.1f} MB)" for file in files)
