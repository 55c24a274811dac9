"""What an attack is, and the good files that attacks are made from."""

from __future__ import annotations

import copy
import functools
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import keras

CANARY = "HORNBEAM_WAS_HERE"
"""A file of this name in the working folder means that something in a file was run."""


@dataclass(frozen=True)
class Attack:
    """A file that must be refused."""

    name: str
    make: Callable[[Path], Path]
    """Writes the file, and what belongs to it, into a folder; returns what is loaded."""
    told: str
    """A pattern for what the error has to name: the member, the layer, or the array."""
    how: str
    """Which function loads it; see child.py."""


ATTACKS: dict[str, Attack] = {}


def attack(told: str, how: str = "load_model", name: str | None = None) -> Callable[..., Any]:
    """Enter a function that writes a hostile file."""

    def enter(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        key = name or make.__name__
        assert key not in ATTACKS
        ATTACKS[key] = Attack(key, make, told, how)
        return make

    return enter


def model() -> Any:
    """Return the small model whose files are turned into attacks."""
    small = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2, name="b")],
        name="small",
    )
    small.compile("sgd", "mse")
    return small


@functools.cache
def good() -> dict[str, bytes]:
    """Return the members of a whole model."""
    stream = io.BytesIO()
    keras.saving.save_model(model(), stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def config() -> Any:
    """Return its configuration, to be changed."""
    return copy.deepcopy(json.loads(good()["config.json"]))


@functools.cache
def weights() -> bytes:
    """Return its weights alone, as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "w.weights.h5")
        model().save_weights(path)
        return path.read_bytes()


def zipped(folder: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """Write an archive of these members."""
    path = folder / "m.keras"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def with_config(folder: Path, changed: Any) -> Path:
    """Write an archive with another configuration."""
    text = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
    return zipfile_of(folder, {"config.json": text})


def zipfile_of(folder: Path, changed: dict[str, bytes]) -> Path:
    """Write the good archive with some members changed or added."""
    return zipped(folder, {**good(), **changed})


def layer(kind: str, module: str = "keras.layers", **arguments: Any) -> dict[str, Any]:
    """Return the configuration of a layer called "bad"."""
    inner = {"name": "bad", "trainable": True, "dtype": "float32", **arguments}
    return {"module": module, "class_name": kind, "registered_name": None, "config": inner}


def with_layer(folder: Path, bad: Any) -> Path:
    """Write an archive whose model has another layer at its end."""
    changed = config()
    changed["config"]["layers"].append(bad)
    return with_config(folder, changed)


def numbers(count: int = 12) -> np.ndarray:
    """Return some numbers for a weight."""
    return np.ones(count, "float32")
