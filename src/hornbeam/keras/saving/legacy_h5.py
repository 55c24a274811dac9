"""Whole models and weights in the `.h5` files that Keras has written since its beginning.

Format: the attributes `model_config` and `training_config` are JSON; the group `model_weights` has a group for each layer
right inside the model, listed in `layer_names`, whose weights are listed in `weight_names`; the group
`optimizer_weights` has the state of the optimizer. A list of names above 64 KB is split over `layer_names0`,
`layer_names1`, ... A file of weights alone is that of the group `model_weights`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.core.atomic import atomic_write
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import legacy_weights, old_models, safe_json
from hornbeam.keras.saving.archive import FORMAT_VERSION
from hornbeam.keras.saving.comparison import Entry, Subject, load
from hornbeam.keras.saving.h5_store import Group, H5File, h5_reading, h5_writing
from hornbeam.keras.saving.h5_writer import NewGroup
from hornbeam.keras.saving.keras2 import legacy_config
from hornbeam.keras.saving.legacy_weights import Stored
from hornbeam.keras.saving.old_models import Described

_WEIGHTS = "model_weights"
_OPTIMIZER = "optimizer_weights"


ENDINGS = (".h5", ".hdf5")


def is_legacy(path: str) -> bool:
    """Return whether an HDF5 file is one of these."""
    with h5_reading(path, check=False) as file:
        names = file.root.attributes()
    return any(each in names for each in ("model_config", "layer_names", "layer_names0"))


def save_model(model: Any, path: str, include_optimizer: bool = True) -> None:
    """Write a model with its weights, how it was compiled, and the state of its optimizer.

    The file is there completely or not at all.
    """
    optimizer = model.optimizer if include_optimizer and model.compiled else None
    attributes = {"model_config": legacy_config.of_model(model)}
    if optimizer is not None and (training := legacy_config.of_training(model)):
        attributes["training_config"] = training
    texts = {
        key: safe_json.text(value, f"{key!r} of {model.name!r}")
        for key, value in attributes.items()
    }
    with atomic_write(path) as stream, h5_writing(stream) as file:
        _write_versions(file)
        file.attrs.update(texts)
        group = file.create_group(_WEIGHTS)
        _write_versions(group)
        legacy_weights.write(model, group)
        if optimizer is not None and optimizer.variables:
            legacy_weights.write_variables(optimizer.variables, file.create_group(_OPTIMIZER))


def save_weights(model: Layer, path: str) -> None:
    """Write the weights of a model alone."""
    with atomic_write(path) as stream, h5_writing(stream) as file:
        _write_versions(file)
        legacy_weights.write(model, file)


def _write_versions(group: NewGroup) -> None:
    group.attrs["keras_version"] = FORMAT_VERSION.encode()
    group.attrs["backend"] = b"jax"


def load_model(
    path: str, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model of a file, compiled as it was unless `compile` is False.

    Raises ValueError for a file without a model, and for what it names that is not known.
    """
    with h5_reading(path) as file:
        config = _json(file, "model_config")
        if config is None:
            raise ValueError(
                f"{path} holds weights without a model. Make the model, then call model.load_weights({path!r})."
            )
        version = str(file.root.attribute("keras_version"))
        described = Described(config, _json(file, "training_config"), version.startswith("3"))
        return old_models.load_model(_Source(file), described, custom_objects, compile)


def load_weights(
    model: Layer, path: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read the weights of a model from a file, layer by layer; see `comparison.load`.

    With `by_name`, layers that the file does not have stay as they are, and what else it has is left out.
    """
    with h5_reading(path) as file:
        source = _Source(file)
        layers, top = source.weights()
        subject = Subject(path, model.name)
        parts, subject = legacy_weights.parts(model, layers, top, subject, by_name)
        load(parts, subject, skip_mismatch, source.group.entries)


class _Source:
    """The weights in an open file."""

    def __init__(self, file: H5File) -> None:
        self.name = file.name
        self.group = file.root.group(_WEIGHTS) or file.root
        self._of_theano = self.group.attribute("backend") == "theano"
        self._state = file.root.group(_OPTIMIZER)

    def weights(self) -> tuple[list[Stored], Stored]:
        """Return the weights of each layer, and those of the model itself."""
        names = [*read_names(self.group, "layer_names"), legacy_weights.TOP]
        *layers, top = (_stored(self.group, name, self._of_theano) for name in names)
        return layers, top

    def optimizer(self) -> list[tuple[str, Entry]]:
        """Return the state of the optimizer by name."""
        if self._state is None:
            return []
        return [(each, self._state.entry(each)) for each in read_names(self._state, "weight_names")]


def _stored(group: Group, name: str, of_theano: bool) -> Stored:
    inner = group.group(name)
    place = f"{group.path}/{name}" if group.path else name
    names = [] if inner is None else read_names(inner, "weight_names")
    entries = [inner.entry(each) for each in names] if inner else []
    return Stored(name, place, names, entries, of_theano)


def read_names(group: Group, attribute: str) -> list[str]:
    """Return a list of names. Raises ValueError where it is no such list."""
    whole = group.attribute(attribute)
    pieces = [] if whole is None else [whole]
    while whole is None and (piece := group.attribute(f"{attribute}{len(pieces)}")) is not None:
        pieces.append(piece)
    names: list[str] = []
    for each in pieces:
        values = np.asarray(each)
        if values.ndim != 1 or (values.size and values.dtype.kind not in "SUO"):
            raise ValueError(
                f"{group.file.name}: {attribute!r} of {group.path or '/'} is no list of names."
            )
        names += [_readable(each) for each in values]
    return names


def _readable(name: Any) -> str:
    """Return a name, with what is damaged in it replaced: it stands in messages."""
    data = name if isinstance(name, bytes) else str(name).encode(errors="surrogateescape")
    return data.decode(errors="replace")


def _json(file: H5File, name: str) -> Any:
    """Return the value of an attribute with JSON, or None where there is none."""
    text = file.root.attribute(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{file.name}: the attribute {name!r} is no text.")
    found = safe_json.parse(text.encode(), f"{file.name}: the attribute {name!r}")
    if not isinstance(found, dict):
        raise ValueError(f"{file.name}: the attribute {name!r} is no JSON object.")
    return found
