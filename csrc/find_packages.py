"""Print where this Python's packages keep what the native kernels are built from; for CMake.

In pip's isolated builds the packages lie in a folder made for one build, so that only the packages
themselves can say where.
"""

from __future__ import annotations

import contextlib
from importlib import metadata
from pathlib import Path


def files(distribution: str, *names: str) -> list[Path]:
    """The installed files of a distribution whose last parts are one of `names`."""
    try:
        listed = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    found = [Path(str(file.locate())).resolve() for file in listed]
    return [path for path in found if path.as_posix().endswith(names) and path.exists()]


def main() -> None:
    """Print one line NAME=path for each, with `|` between several paths."""
    places: dict[str, str] = {"NANOBIND_CMAKE": "", "XLA_INCLUDE": ""}
    with contextlib.suppress(ImportError):
        import nanobind

        places["NANOBIND_CMAKE"] = nanobind.cmake_dir()
    with contextlib.suppress(ImportError):
        import jax

        places["XLA_INCLUDE"] = jax.ffi.include_dir()
    header = files("onednn-devel-cpu-gomp", "/include/dnnl.hpp")
    library = files("onednn-cpu-gomp", "/libdnnl.so")
    licenses = files("onednn-cpu-gomp", "onednn/LICENSE", "onednn/THIRD-PARTY-PROGRAMS")
    places["DNNL_INCLUDE"] = str(header[0].parent) if header else ""
    places["DNNL_LIBRARY"] = str(library[0]) if library else ""
    places["DNNL_LICENSES"] = "|".join(map(str, licenses))
    for name, place in places.items():
        print(f"{name}={place}")


if __name__ == "__main__":
    main()
