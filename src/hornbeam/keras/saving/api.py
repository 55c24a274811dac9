"""`save_model`, `load_model`, `save_weights`, `load_weights`: one function each for all formats.

The ending of a name chooses the format that is written; what a file holds chooses the one that reads it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import Any

from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import safetensors, sharded, weights_h5

_ENDINGS = (".weights.h5", sharded.ENDING, safetensors.ENDING)


def save_weights(
    model: Layer,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    The name ends with `.weights.h5`, `.safetensors`, or `.weights.json`: the last is an index of files that have
    `max_shard_size` GB at most (5 unless said otherwise).

    Raises ValueError for another ending, or where an array is larger than `max_shard_size`; FileExistsError where
    `overwrite` is False and the file exists.
    """
    path = os.fspath(filepath)
    if max_shard_size is not None and path.endswith(".weights.h5"):
        path = path.removesuffix(".h5") + ".json"  # as Keras does
        warnings.warn(f"Weights in several files have an index: {path} is written.", stacklevel=3)
    if not path.endswith(_ENDINGS):
        raise ValueError(
            f"The name of a file of weights ends with {' or '.join(f'`{each}`' for each in _ENDINGS)}; received {path!r}."
        )
    if max_shard_size is not None and not path.endswith(sharded.ENDING):
        raise ValueError(
            f"`max_shard_size` needs a name that ends with `{sharded.ENDING}`; received {path!r}."
        )
    check_built(model, "save")
    check_target(path, overwrite)
    if path.endswith(sharded.ENDING):
        sharded.save_weights(model, path, max_shard_size)
    elif path.endswith(safetensors.ENDING):
        safetensors.save_weights(model, path)
    else:
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
    module = _reader_of(path)
    module.load_weights(model, path, skip_mismatch, objects_to_skip)


def _reader_of(path: str) -> Any:
    """Return the module that reads what the file begins with."""
    with open(path, "rb") as file:
        start = file.read(9)
    if start[:1] == b"{":
        return sharded
    return safetensors if start[8:] == b"{" else weights_h5


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
