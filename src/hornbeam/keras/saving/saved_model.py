"""Models in folders that Keras 2 wrote in TensorFlow's SavedModel format, read as models that can be trained.

Format: `keras_metadata.pb` has the configuration of each layer under its path from the model, such as
`root.layer_with_weights-0`, and how the model was compiled; `variables/variables` is a checkpoint, whose object graph leads
along such paths to the names of the tensors. The program in `saved_model.pb` is not read, but for the configurations, which
TensorFlow before 2.5 kept there. Sources:
tf_keras/protobuf/saved_metadata.proto and tensorflow/core/protobuf/trackable_object_graph.proto.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hornbeam.core.protobuf import Reader
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.saving import legacy_weights, old_models, safe_json
from hornbeam.keras.saving.comparison import Entry, Subject, load, missing
from hornbeam.keras.saving.legacy_weights import Stored
from hornbeam.keras.saving.old_models import Described
from hornbeam.train.bundle import Bundle

METADATA = "keras_metadata.pb"
_PROGRAM = "saved_model.pb"
_VARIABLES = "variables/variables"
_LARGEST = 256 << 20  # bytes of the program, which is read for what older versions say in it
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"


def load_model(
    folder: str, custom_objects: Mapping[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model of a folder, compiled as it was unless `compile` is False.

    Raises ValueError for a folder without a model of Keras, for damaged files, and for what they name that is not known.
    """
    objects = _objects(Path(folder))
    root = objects.get("root", {})
    if not isinstance(root.get("config"), dict) or "class_name" not in root:
        raise ValueError(
            f"{folder} says no configuration of its model {root.get('name')!r}: it was written from a class without "
            "get_config(). Make the model from its class, and call load_weights on the folder."
        )
    config = {key: root[key] for key in ("class_name", "config")}
    training = root.get("training_config")
    return old_models.load_model(
        _Source(folder, objects), Described(config, training), custom_objects, compile
    )


def load_weights(
    model: Layer, folder: str, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read the weights of a model from a folder, layer by layer; see `comparison.load`."""
    layers, top = _Source(folder, _objects(Path(folder))).weights()
    subject = Subject(folder, model.name)
    parts, subject = legacy_weights.parts(model, layers, top, subject, by_name)
    load(parts, subject, skip_mismatch)


def _objects(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what is said of each object, by its path from the model, outer ones first."""
    path = folder / METADATA
    if path.is_file():
        nodes = _read(path).messages(1, "node")
        texts = {node.text(3): node.raw(5) for node in nodes}
    else:
        path = folder / _PROGRAM
        texts = _within_program(_read(path), str(path)) if path.is_file() else {}
    if not texts:
        raise ValueError(
            f"{folder} holds no {METADATA}: it has a program of TensorFlow, but no model of Keras 2. Load it with TensorFlow, "
            "and save the weights with model.save_weights('name.h5')."
        )
    found: dict[str, dict[str, Any]] = {}
    for place in sorted(texts, key=lambda each: each.count(".")):
        said = safe_json.parse(texts[place], f"{path}: {place!r}")
        if isinstance(said, dict):
            found[place] = said
    return found


def _read(path: Path) -> Reader:
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"{path} has {size} bytes; at most {_LARGEST} are read.")
    return Reader(path.read_bytes(), str(path))


def _within_program(program: Reader, what: str) -> dict[str, bytes]:
    """Return what is said of each object by its path: TensorFlow before 2.5 wrote it with the program.

    The messages are a SavedModel, its first MetaGraphDef, its SavedObjectGraph, and the SavedObjects of that.
    """
    graphs = program.messages(2, "graph")
    nodes = graphs[0].message(7, "objects").messages(1, "object") if graphs else []
    found: dict[str, bytes] = {}
    seen, waiting = {0}, deque([(0, "root")])
    while waiting and nodes:
        at, path = waiting.popleft()
        said = nodes[at].message(4, f"object {path!r}")
        if said.text(1).startswith("_tf_keras_") and said.raw(3):
            found[path] = said.raw(3)
        for child in nodes[at].messages(1, "child"):
            inner = child.integer(1)
            if inner not in seen and inner < len(nodes):
                seen.add(inner)
                waiting.append((inner, f"{path}.{child.text(2)}"))
    return found


class _Node(NamedTuple):
    """An object of the checkpoint's graph."""

    children: dict[str, int]
    name: str
    key: str
    slots: list[tuple[int, str, int]]
    """For an optimizer: the number of a variable, the name of a slot, the number of the slot's variable."""


class _Source:
    """The variables in a folder."""

    def __init__(self, folder: str, objects: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = folder
        self._objects = objects
        self._bundle = Bundle(Path(folder) / _VARIABLES)
        self._nodes = _nodes(self._bundle, f"{folder}/{_VARIABLES}")

    def weights(self) -> tuple[list[Stored], Stored]:
        """Return the weights of each layer right inside the model, and those of the model itself."""
        found: list[Stored] = []
        for path, said in self._objects.items():
            at = self._find(path)
            if at is not None and ".keras_api" not in path and self._is_right_inside(path):
                found.append(self._stored(str(said.get("name")), path, self._list(at, "variables")))
        own = [each for each in self._nodes[0].children.values() if self._nodes[each].key]
        return found, self._stored("", "root", own)

    def _is_right_inside(self, path: str) -> bool:
        """Return whether no layer is between the model and the one at a path; a list of layers may be."""
        steps = path.split(".")
        above = (".".join(steps[:count]) for count in range(2, len(steps)))
        return len(steps) > 1 and not any(each in self._objects for each in above)

    def _find(self, path: str) -> int | None:
        at: int | None = 0
        for step in path.split(".")[1:]:
            at = self._nodes[at].children.get(step) if at is not None else None
        return at

    def _stored(self, name: str, path: str, variables: list[int]) -> Stored:
        entries = [self._entry(each) for each in variables]
        return Stored(name, path, [self._nodes[each].name for each in variables], entries)

    def _list(self, at: int, name: str) -> list[int]:
        """Return the numbers of the objects in a list that an object has."""
        inner = self._nodes[at].children.get(name)
        if inner is None:
            return []
        children = self._nodes[inner].children
        return [children[each] for each in sorted(filter(str.isdigit, children), key=int)]

    def _entry(self, at: int) -> Entry:
        key = self._nodes[at].key
        found = self._bundle.entries.get(key)
        if found is None:
            return missing(key or "a variable")
        if found.dtype is None:
            return Entry(key, found.shape, problem="holds texts")
        return Entry(key, found.shape, found.dtype.name, lambda: np.array(self._bundle.read(key)))

    def optimizer(self) -> list[tuple[str, Entry]]:
        """Return the state of the optimizer, with names as `.h5` files have them."""
        at = self._nodes[0].children.get("optimizer")
        if at is None:
            return []
        node = self._nodes[at]
        alone = self._named(node, ("iter", "momentum_cache"))
        if (scale := node.children.get("loss_scale")) is not None:
            alone += self._named(self._nodes[scale], ("current_loss_scale", "good_steps"))
        if listed := self._list(at, "_variables"):  # since Keras 2.11
            return [*alone, *((f"{self._nodes[each].name}:0", self._entry(each)) for each in listed)]  # fmt: skip
        order = {each: i for i, each in enumerate(self._list(0, "trainable_variables"))}
        slots = sorted(node.slots, key=lambda slot: order.get(slot[0], len(order)))
        found = [(f"slot/{self._nodes[of].name}/{name}:0", self._entry(each)) for of, name, each in slots]  # fmt: skip
        return [*alone, *found]

    def _named(self, node: _Node, names: Sequence[str]) -> list[tuple[str, Entry]]:
        """Return the variables that an object has under these names."""
        return [(f"{each}:0", self._entry(node.children[each])) for each in names if each in node.children]  # fmt: skip


def _nodes(bundle: Bundle, what: str) -> list[_Node]:
    """Return the objects of a checkpoint's graph. Raises ValueError where it leads to objects that are not there."""
    if _GRAPH not in bundle.entries:
        raise ValueError(f"{what} has no graph of objects: no Keras 2 wrote it.")
    data = bundle.read(_GRAPH)
    nodes: list[_Node] = []
    for each in Reader(data if isinstance(data, bytes) else b"", what).messages(1, "node"):
        children = {child.text(2): child.integer(1) for child in each.messages(1, "child")}
        value = next((a for a in each.messages(2, "attribute") if a.text(1) == _VALUE), None)
        name, key = ("", "") if value is None else (value.text(2), value.text(3))
        slots = [(s.integer(1), s.text(2), s.integer(3)) for s in each.messages(3, "slot")]
        nodes.append(_Node(children, name, key, slots))
    named = [n for node in nodes for n in (*node.children.values(), *(i for s in node.slots for i in (s[0], s[2])))]  # fmt: skip
    if not nodes or max(named, default=0) >= len(nodes):
        raise ValueError(f"{what} is damaged: its graph leads to objects that are not in it.")
    return nodes
