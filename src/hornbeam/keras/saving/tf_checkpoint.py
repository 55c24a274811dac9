"""Weights in TensorFlow's checkpoint format, as Keras 2's `save_weights("ckpt")` writes them: `ckpt.index` and a data file.

A checkpoint of the model's objects by `tf.train.Checkpoint(model)`, from Keras 2 or 3, is read too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from hornbeam.core.variable import Variable
from hornbeam.keras.saving import comparison
from hornbeam.keras.saving.comparison import Entry, Part, Subject
from hornbeam.keras.saving.trackables import keras_2_parts
from hornbeam.train.bundle import Bundle
from hornbeam.train.bundle_writer import write_bundle
from hornbeam.train.checkpoint import nodes_of, tensors_of
from hornbeam.train.graph import VALUE, Paths, graph_of
from hornbeam.train.reader import checkpoint_exists, checkpoint_prefix
from hornbeam.train.restoring import Restoration
from hornbeam.train.state_file import write_state
from hornbeam.train.status import CheckpointLoadStatus, LoadStatus
from hornbeam.train.trackable import Group, Parts, parts_of

# Endings of other formats, which nobody gives to a checkpoint.
_OTHER_ENDINGS = (
    ".h5",
    ".hdf5",
    ".keras",
    ".json",
    ".safetensors",
    ".npz",
    ".zip",
    ".pb",
    ".index",
)
# What a checkpoint holds beside the weights.
_BESIDE = ("optimizer", "save_counter")


def is_name(path: str) -> bool:
    """Return whether weights saved under this name are a checkpoint: it has no other format's ending."""
    return not path.lower().endswith((*_OTHER_ENDINGS, "/", os.sep))


def is_there(path: str) -> bool:
    """Return whether there is a checkpoint of this name."""
    return checkpoint_exists(path) or (path.endswith(".index") and os.path.isfile(path))


def save_weights(model: Any, path: str) -> None:
    """Write a model's weights, and its optimizer's; a crash leaves the old checkpoint or the new one.

    The file `checkpoint` of the folder then names it, for `tf.train.latest_checkpoint`.
    """
    parts = parts_of(model)
    assert parts is not None
    named = dict(parts.named)
    if (optimizer := named.get("optimizer")) is not None:
        named["optimizer"] = Group(keras_2_parts(optimizer))  # type: ignore[arg-type]
    folder = os.path.dirname(path)
    os.makedirs(folder or ".", exist_ok=True)
    write_bundle(path, tensors_of(graph_of(Group(Parts(named, parts.others)))))
    write_state(folder, path, [path])


def load_weights(
    model: Any, path: str, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] = ()
) -> LoadStatus:
    """Read a model's weights, and its optimizer's if it has the same; return a status as `tf.train.Checkpoint` does.

    What is not built yet gets its values when it is. Raises ValueError, with every difference, where the checkpoint does
    not fit; with `skip_mismatch`, loads the layers that do, and warns with the same list.
    """
    bundle = Bundle(checkpoint_prefix(path))
    restoration = Restoration(bundle, nodes_of(bundle, model))
    found = {id(variable): key for variable, key in restoration.find(model)}
    if model.built:
        skipped = {id(v) for each in objects_to_skip for v in each.variables}
        parts = _parts(model, bundle, found, skipped)
        if not objects_to_skip:
            parts.append(Part(model.name, problems=_left_over(restoration)))
        comparison.load(parts, Subject(path, model.name), skip_mismatch, lambda: _entries(bundle))
        restoration.is_quiet = True  # all differences have been told
    else:
        restoration.start(model)
    restoration.wait()
    status = CheckpointLoadStatus(restoration, model)
    return status.assert_nontrivial_match() if not skip_mismatch else status


def _parts(model: Any, bundle: Bundle, keys: dict[int, str], skipped: set[int]) -> list[Part]:
    """Return what each layer needs; the optimizer and other variables take what there is for them."""
    parts: list[Part] = []
    for layer in model._depth_first():
        own = [v for v in layer._own_weights() if id(v) not in skipped]
        skipped |= {id(v) for v in own}
        parts.append(Part(layer.path, [(v, _entry(bundle, keys.get(id(v)), v)) for v in own]))
    optimizer = getattr(model, "optimizer", None)
    others = [*(optimizer.variables if optimizer is not None else ()), *model.variables]
    rest = [v for v in others if id(v) not in skipped and id(v) in keys]
    needs = [(v, _entry(bundle, keys[id(v)], v)) for v in rest]
    return [*parts, Part("optimizer", needs, optional=True)]


def _entry(bundle: Bundle, key: str | None, variable: Variable) -> Entry:
    if key is None:
        return comparison.missing(variable.path)
    path, stored = _path(key), bundle.entries.get(key)
    if stored is None:
        return comparison.missing(path)
    if stored.dtype is None:
        return Entry(path, stored.shape, problem="holds texts")
    return Entry(path, stored.shape, stored.dtype.name, partial(bundle.read, key))  # type: ignore[arg-type]


def _entries(bundle: Bundle) -> list[Entry]:
    return [
        Entry(_path(key), entry.shape, entry.dtype.name)
        for key, entry in bundle.entries.items()
        if entry.dtype is not None
    ]


def _path(key: str) -> str:
    return key.partition("/.ATTRIBUTES")[0]


def _left_over(restoration: Restoration) -> list[str]:
    """Return what the checkpoint has for layers, and nothing takes."""
    nodes, paths = restoration.nodes, Paths(restoration.nodes)
    slots = {number for node in nodes for _, _, number in node.slots}
    return [
        f"the checkpoint has {_path(nodes[number].values[VALUE])}, and nothing takes it"
        for number in restoration.missing()
        if number not in slots
        and VALUE in nodes[number].values
        and paths.first[number] not in _BESIDE
    ]
