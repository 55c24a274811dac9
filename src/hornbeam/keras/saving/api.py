"""`save_model`, `load_model`, `save_weights`, `load_weights`: one function each for all formats.

The ending of a name chooses the format that is written; what a file holds chooses the one that reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import weights_h5

_WEIGHTS = ".weights.h5"


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    Raises ValueError for another ending than `.weights.h5`, FileExistsError where `overwrite` is False and the file
    exists.
    """
    path = os.fspath(filepath)
    if not path.endswith(_WEIGHTS):
        raise ValueError(
            f"The name of a file of weights ends with `{_WEIGHTS}`; received {path!r}."
        )
    check_built(model, "save")
    check_target(path, overwrite)
    weights_h5.save_weights(model, path)


def load_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] = (),
) -> None:
    """Read the weights of `model`, without those of `objects_to_skip`.

    Raises ValueError, with every difference, where the file does not fit; with `skip_mismatch`, loads the layers that
    do, and warns with the same list.
    """
    path = os.fspath(filepath)
    check_source(path)
    check_built(model, "load")
    weights_h5.load_weights(model, path, skip_mismatch, objects_to_skip)


def check_built(model: Layer, what: str) -> None:
    """Raise ValueError for a model without weights."""
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then {what}."
        )


def check_target(path: str, overwrite: bool) -> None:
    """Raise an error where a file can't be written at `path`."""
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; delete it, or pass overwrite=True.")


def check_source(path: str) -> None:
    """Raise an error where there is nothing at `path`."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path}.")
