"""A module that is asked for a name it does not have names it, and the nearest that it has."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from hornbeam.core.faces import missing_names


@pytest.fixture
def face(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("toy_face")
    module.relu, module.tanh, module._rellu = abs, abs, abs
    module.__getattr__ = missing_names("toy_face")
    monkeypatch.setitem(sys.modules, "toy_face", module)
    return module


def test_attribute(face: ModuleType) -> None:
    with pytest.raises(AttributeError) as raised:
        face.rellu  # noqa: B018
    assert str(raised.value) == "Hornbeam has no 'toy_face.rellu'. Did you mean 'relu'?"
    assert raised.value.name == "rellu"
    assert not hasattr(face, "nothing_like_it")
    assert getattr(face, "nothing_like_it", 3) == 3


def test_from_import(face: ModuleType) -> None:
    with pytest.raises(ImportError) as raised:
        from toy_face import rellu  # noqa: F401
    assert str(raised.value) == (
        "cannot import name 'rellu' from 'toy_face': Hornbeam has no such name. "
        "Did you mean 'relu'?"
    )


def test_from_import_in_code_with_very_many_names(face: ModuleType) -> None:
    # Past 256 names the instruction has a prefix, which must not hide it.
    many = "".join(f"name_{i} = {i}\n" for i in range(300))
    with pytest.raises(ImportError, match="Did you mean 'relu'"):
        exec(many + "from toy_face import rellu\n", {})


def test_declared_names_only(face: ModuleType) -> None:
    face.__all__ = ["tanh"]
    with pytest.raises(AttributeError, match=r"'toy_face.rellu'\.$"):
        face.rellu  # noqa: B018


def test_probes_of_private_names_are_plain(face: ModuleType) -> None:
    with pytest.raises(AttributeError, match=r"^module 'toy_face' has no attribute '__wrapped__'$"):
        face.__wrapped__  # noqa: B018
