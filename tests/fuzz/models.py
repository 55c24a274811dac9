"""The model whose weights are loaded, and what a load must leave as it was."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import h5py

from hornbeam import keras
from tests.hostile import attack


@functools.cache
def model() -> Any:
    """Return a small model of two layers."""
    return attack.model()


@functools.cache
def saved(ending: str) -> bytes:
    """Return its weights in the format of an ending, without checksums."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"w{ending}")
        keras.saving.save_weights(model(), path)
        if ending.endswith(".h5"):
            drop_checksums(path)
        return path.read_bytes()


def drop_checksums(path: Path) -> None:
    """Take the checksums off an HDF5 file, so that what is changed in it is read."""
    with h5py.File(path, "r+"):
        pass


def load_weights(path: Path) -> None:
    """Load the weights; where that fails, see that the model is what it was."""
    before = model().get_weights()
    try:
        keras.saving.load_weights(model(), path)
    except Exception:
        after = model().get_weights()
        assert all((a == b).all() for a, b in zip(before, after, strict=True)), "weights changed"
        raise
    finally:
        model().set_weights(before)
