"""The names that users can reach are the ones in public_surface.txt: none lost, none added by accident.

`make surface` rewrites the list; its diff then shows in review what a change does to users.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hornbeam

RECORD = Path(__file__).with_name("public_surface.txt")
PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def public(module: ModuleType) -> list[str]:
    """What the module declares."""
    return list(getattr(module, "__all__", ()))


def faces(
    module: ModuleType = hornbeam, path: str = "hornbeam"
) -> Iterator[tuple[str, ModuleType]]:
    """Every module that is reached from `hornbeam` through names in `__all__`, with the path a user writes."""
    yield path, module
    for name in public(module):
        value = getattr(module, name, None)
        below = f"{path}.{name}"
        # Faces point at each other (keras.ops is ops); a face inside itself would never end.
        if isinstance(value, ModuleType) and path.count(".") < 4:
            yield from faces(value, below)


FACES = dict(faces())


def surface() -> list[str]:
    """The public names, each on its full path."""
    return sorted(f"{path}.{name}" for path, module in FACES.items() for name in public(module))


@pytest.mark.parametrize("path", FACES)
def test_every_public_name_exists_and_none_starts_with_an_underscore(path: str):
    names = public(FACES[path])
    assert names, f"{path} is public and declares no __all__"
    assert [name for name in names if not hasattr(FACES[path], name)] == []
    assert [name for name in names if re.match(r"_(?!_version__$)", name)] == []
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("path", FACES)
def test_public_classes_and_functions_say_what_they_are(path: str):
    module = FACES[path]
    objects = {name: getattr(module, name) for name in public(module)}
    silent = [
        name
        for name, value in objects.items()
        if (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value)
    ]
    assert silent == []


def test_surface_is_the_recorded_one():
    recorded, now = RECORD.read_text().split(), surface()
    lost, added = sorted(set(recorded) - set(now)), sorted(set(now) - set(recorded))
    assert (lost, added) == ([], []), "if this is meant, run `make surface` and commit the list"


def test_version_is_that_of_the_project():
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    assert hornbeam.__version__ == project["version"]


if __name__ == "__main__":
    RECORD.write_text("\n".join(surface()) + "\n")
