"""Weights in `.weights.h5` files, exchanged with Keras 3 both ways.

Format: for every layer a group `vars` with one dataset for each of its own weights, "0", "1", ... in their order. The
groups follow the attributes that hold the layers: `layers/dense/vars/0` in a Sequential or functional model (names of
classes, numbered), `encoder/vars/0` for an attribute `encoder`, `blocks/dense/vars/0` for a list `blocks`.

Reading takes numbers of the expected shape and nothing else: links to other places and files, virtual and external data
are refused before a byte is read, and a weight is only assigned when all of them have been found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core.names import snake_case
from hornbeam.core.optional import require
from hornbeam.core.variable import Variable
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.tracking import UNTRACKED
from hornbeam.keras.utils.atomic import atomic_write

_ENDING = ".weights.h5"


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights of `model`; the file is there completely or not at all.

    Raises ValueError for another ending than `.weights.h5`, FileExistsError where `overwrite` is False and the file
    exists.
    """
    path = _checked_path(filepath)
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then save."
        )
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already; delete it, or pass overwrite=True.")
    h5py = require("h5py", extra="h5", purpose="saving weights in HDF5")
    with atomic_write(path) as stream, h5py.File(stream, "w") as file:
        for place, layer in places(model):
            group = file.create_group(f"{place}/vars" if place else "vars")
            group.attrs["name"] = layer.name
            for index, variable in enumerate(layer._own_weights()):
                _write(group, str(index), variable.numpy())


def load_weights(model: Layer, filepath: str | os.PathLike[str]) -> None:
    """Read the weights of `model`. Raises ValueError, with every difference, where the file does not fit."""
    path = _checked_path(filepath)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no file {path}.")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} has no weights yet: call it on data or build it, then load."
        )
    h5py = require("h5py", extra="h5", purpose="loading weights from HDF5")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is no HDF5 file, or a damaged one: {error}") from error
    with file:
        values, problems = _collect(h5py, file, model)
    if problems:
        listed = "\n  ".join(problems[:20]) + ("\n  ..." if len(problems) > 20 else "")
        raise ValueError(
            f"{path} does not fit the model {model.name!r}; no weight was changed:\n  {listed}"
        )
    for variable, value in values:
        variable.assign(value)


def places(model: Layer) -> list[tuple[str, Layer]]:
    """Every layer with the path of its group, each once."""
    seen: set[int] = set()

    def visit(layer: Layer, place: str) -> Iterator[tuple[str, Layer]]:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        yield place, layer
        for name, child in _children(layer):
            inner = f"{place}/{name}" if place else name
            if isinstance(child, Layer):
                yield from visit(child, inner)
            else:
                yield from _visit_container(child, inner)

    def _visit_container(container: Any, place: str) -> Iterator[tuple[str, Layer]]:
        counts: dict[str, int] = {}
        for each in container.values() if isinstance(container, dict) else container:
            if isinstance(each, Layer):
                name = snake_case(type(each).__name__)
                number = counts.get(name, 0)
                counts[name] = number + 1
                yield from visit(each, f"{place}/{name}_{number}" if number else f"{place}/{name}")

    return list(visit(model, ""))


def _children(layer: Layer) -> list[tuple[str, Any]]:
    """Attributes that hold layers, by name, private ones last; a model's `layers` are among them, as in Keras."""
    renamed = getattr(type(layer), "names_in_files", {})
    found = {
        renamed.get(name, name): value
        for name, value in vars(layer).items()
        if name not in UNTRACKED and isinstance(value, (Layer, list, tuple, dict, set))
    }
    layers = getattr(type(layer), "layers", None)
    if isinstance(layers, property):
        found["layers"] = layer.layers  # type: ignore[attr-defined]
    return sorted(found.items(), key=lambda item: (item[0].startswith("_"), item[0]))


def _checked_path(filepath: str | os.PathLike[str]) -> str:
    path = os.fspath(filepath)
    if not path.endswith(_ENDING):
        raise ValueError(f"The name of a file of weights ends with `{_ENDING}`; received {path!r}.")
    return path


def _write(group: Any, name: str, value: np.ndarray) -> None:
    if (
        value.dtype.name == "bfloat16"
    ):  # HDF5 has no such type; Keras stores the two bytes and says so
        dataset = group.create_dataset(name, data=value.view("V2"))
        dataset.attrs["dtype"] = "bfloat16"
    else:
        group.create_dataset(name, data=value)


def _collect(
    h5py: Any, file: Any, model: Layer
) -> tuple[list[tuple[Variable, np.ndarray]], list[str]]:
    values: list[tuple[Variable, np.ndarray]] = []
    problems: list[str] = []
    for place, layer in places(model):
        for index, variable in enumerate(layer._own_weights()):
            name = f"{place}/vars/{index}" if place else f"vars/{index}"
            dataset, problem = _find(h5py, file, name)
            if problem is None and tuple(dataset.shape) != tuple(variable.shape):
                problem = f"has shape {tuple(dataset.shape)}"
            if problem is None:
                values.append((variable, _read(dataset)))
            else:
                problems.append(f"{variable.path} {tuple(variable.shape)}: {name} {problem}")
    return values, problems


def _find(h5py: Any, file: Any, name: str) -> tuple[Any, str | None]:
    """The dataset of that name, walked to link by link; or what is wrong with it."""
    found: Any = file
    for part in name.split("/"):
        if not isinstance(found, h5py.Group) or part not in found:
            return None, "is not in the file"
        if type(found.get(part, getlink=True)) is not h5py.HardLink:
            return None, "is a link to another place; links are not followed"
        found = found[part]
    if not isinstance(found, h5py.Dataset):
        return None, "holds no numbers"
    if found.is_virtual or found.external:
        return None, "keeps its data in another file; that is not followed"
    if found.dtype.kind not in "fiubV":
        return None, f"holds values of type {found.dtype}"
    return found, None


def _read(dataset: Any) -> np.ndarray:
    value = dataset[()]
    if dataset.attrs.get("dtype") == "bfloat16" and value.dtype.itemsize == 2:
        return np.asarray(value).view("bfloat16")
    return np.asarray(value)
