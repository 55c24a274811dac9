"""`KerasFileEditor`: look into files of weights, compare them with a model, edit them and save them anew."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from hornbeam.core.atomic import atomic_write
from hornbeam.core.tensor import unwrap
from hornbeam.keras.saving import archive
from hornbeam.keras.saving.h5_store import H5File, h5_reading, h5_writing
from hornbeam.keras.saving.h5_writer import Writer
from hornbeam.keras.saving.places import places

Tree: TypeAlias = "dict[str, Any]"
"""Objects by name; an object holds its weights, arrays, and the objects inside it."""


class KerasFileEditor:
    """Shows and edits the weights in a `.weights.h5` or `.keras` file; `save` writes them to a new `.weights.h5` file.

    `weights_dict` leads from names of objects to their weights and the objects inside them. Nothing in a file is run.

    >>> import os, tempfile
    >>> from hornbeam import keras
    >>> path = os.path.join(tempfile.mkdtemp(), "model.weights.h5")
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.save_weights(path)
    >>> editor = keras.saving.KerasFileEditor(path)  # doctest: +ELLIPSIS
    Keras model file '...model.weights.h5'
    >>> editor.rename_object("dense", "dense_7")
    >>> editor.summary()
    Weights structure
      > layers
        > dense_7
          > 0: shape=(3, 2), dtype=float32
          > 1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        """Read the file. Raises ValueError for another ending, and for what is damaged."""
        self.filepath = os.fspath(filepath)
        self.metadata: Any = None
        self.config: Any = None
        self.model: Any = None
        self.weights_dict: Tree = {}
        if self.filepath.endswith(".keras"):
            self._read_archive()
        elif self.filepath.endswith(".weights.h5"):
            with h5_reading(self.filepath) as file:
                self._read(file)
        else:
            raise ValueError(
                f"KerasFileEditor reads files that end with `.keras` or `.weights.h5`; received {self.filepath!r}."
            )
        _print(f"Keras model file {self.filepath!r}")
        if isinstance(self.metadata, dict):
            version, date = (self.metadata.get(key) for key in ("keras_version", "date_saved"))
            _print(f"Saved with Keras {version} - date: {date}")

    def _read_archive(self) -> None:
        with archive.opened(self.filepath) as container:
            self.config = archive.read_config(container)
            self.metadata = archive.read_metadata(container) or self.metadata
            with archive.opened_weights(container) as file:
                self._read(file)

    def _read(self, file: H5File) -> None:
        for entry in sorted(file.entries(), key=lambda each: each.path):
            if entry.problem is not None or entry.read is None:
                raise ValueError(f"{file.name}: {entry.path} {entry.problem}.")
            *parts, name = (part for part in entry.path.split("/") if part != "vars")
            place = self.weights_dict
            for part in parts:
                place = place.setdefault(part, {})
            place[name] = entry.read()

    def summary(self) -> None:
        """Print the weights, with the objects that hold them."""
        _print("Weights structure")
        for line in _lines(self.weights_dict, 1):
            _print(line)

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print what differs from a model; return `status` ("success" or "error"), `error_count` and `match_count`."""
        _print("Running comparison")
        wanted, found = (
            _shapes_of(reference_model, self.config is not None),
            dict(_flat(self.weights_dict)),
        )
        errors = [
            f"...Weight {path} present in reference model, missing from saved file"
            for path in wanted.keys() - found.keys()
        ]
        errors += [
            f"...Weight {path} present in saved file, missing from reference model"
            for path in found.keys() - wanted.keys()
        ]
        both = wanted.keys() & found.keys()
        other = [path for path in both if wanted[path] != found[path].shape]
        errors += [
            f"...Weight shape mismatch for {path}: {wanted[path]} in reference model, {found[path].shape} in saved file"
            for path in other
        ]
        for line in sorted(errors):
            _print(line)
        matches = len(both) - len(other)
        if errors:
            _print(
                f"Found {len(errors)} errors: saved file is not compatible with the reference model"
            )
        else:
            _print(f"Comparison successful: {matches} matching weights")
        status = "error" if errors else "success"
        return {"status": status, "error_count": len(errors), "match_count": matches}

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give another name to an object, named by its path or, where that is unique, by its name."""
        if "/" in new_name:
            raise ValueError(f"`new_name` is a name, not a path; received {new_name!r}.")
        holder, name = self._find(object_name)
        holder[new_name] = holder.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Remove an object with its weights."""
        holder, name = self._find(object_name)
        del holder[name]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object, with its weights by name ("0", "1", ...), at a full path."""
        _check_weights(weights)
        *parts, name = object_path.split("/")
        holder = self.weights_dict
        for part in parts:
            if not isinstance(holder.get(part), dict):
                raise ValueError(f"Path {'/'.join(parts)!r} not found in model.")
            holder = holder[part]
        holder[name] = dict(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight from an object."""
        holder, name = self._find(object_name)
        if weight_name not in holder[name]:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: {list(holder[name])}"
            )
        del holder[name][weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights, by name, to an object."""
        _check_weights(weights)
        holder, name = self._find(object_name)
        holder[name].update(weights)

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the weights as they are now to a `.weights.h5` file, which is there completely or not at all."""
        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(f"`filepath` should end with `.weights.h5`; received {path!r}.")
        with atomic_write(path) as stream, h5_writing(stream) as file:
            for place, value in _flat(self.weights_dict):
                owner, _, name = place.rpartition("/")
                group = file.require_group(f"{owner}/vars" if owner else "vars")
                Writer(group, repr(owner))[name] = value

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Do what `save` does."""
        self.save(filepath)

    def _find(self, object_name: str) -> tuple[Tree, str]:
        """Return what holds an object, and its name there. Raises ValueError where there is none, or several."""
        *parts, name = object_name.split("/")
        if parts:
            holder: Any = self.weights_dict
            for part in parts:
                holder = holder.get(part) if isinstance(holder, dict) else None
            found = [holder] if isinstance(holder, dict) and name in holder else []
        else:
            found = list(_holders(self.weights_dict, lambda tree: name in tree))
        if not found:
            raise ValueError(
                f"Path {object_name!r} not found in model; `summary()` lists all objects."
            )
        if len(found) > 1:
            raise ValueError(
                f"Name {object_name!r} occurs more than once in the model; pass a complete path."
            )
        return found[0], name


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


def _check_weights(weights: object) -> None:
    if not isinstance(weights, Mapping):
        raise ValueError(
            f"`weights` should be a dict of arrays by name (usually '0', '1', ...); received {type(weights).__name__}."
        )


def _holders(tree: Tree, suits: Callable[[Tree], bool]) -> Iterator[Tree]:
    if suits(tree):
        yield tree
    for each in tree.values():
        if isinstance(each, dict):
            yield from _holders(each, suits)


def _flat(tree: Tree, place: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield all weights by their paths."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{name}/")
        else:
            yield f"{place}{name}", np.asarray(unwrap(value))


def _lines(tree: Tree, depth: int) -> Iterator[str]:
    for name, value in tree.items():
        start = f"{'  ' * depth}> {name}"
        if isinstance(value, dict):
            yield start
            yield from _lines(value, depth + 1)
        else:
            array = np.asarray(unwrap(value))
            yield f"{start}: shape={array.shape}, dtype={array.dtype}"


def _shapes_of(model: Any, seeds: bool) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what a model would write, by path; whole models come with their random generators."""
    found = {}
    for place, obj in places(model, seeds=seeds):
        store: dict[str, Any] = {}
        obj.save_own_variables(store)
        for name, value in store.items():
            found[f"{place}/{name}" if place else name] = tuple(np.shape(unwrap(value)))
    return found
