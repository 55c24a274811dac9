"""The calls in a functional model of Keras 2, in Keras 3's form.

Keras 2 writes a call as `["dense", 0, 0, {}]`: the layer whose output is taken, the number of its call, the place in its
outputs, and keyword arguments of the layer that is called; a call with several inputs is a list of these. Functions of
TensorFlow are layers of the classes `TFOpLambda` and `SlicingOpLambda`, and `TensorFlowOpLayer` before. Keras 3 writes `{"args": [...], "kwargs": {...}}`,
also to `.h5` files; there ops lack the module that tells `Multiply` the op from `Multiply` the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.keras.registry import find_custom
from hornbeam.keras.saving.keras2 import raw_ops
from hornbeam.keras.saving.keras2.names import Config, is_users, safe_name
from hornbeam.ops.keras_names import module_of_class

TENSORFLOW = "tensorflow"
"""The module of functions of TensorFlow in configurations."""

EXPLICIT_MODE = "explicit_training"
"""In the configuration of a call: the user gave the argument `training`, although it is the layer's default."""

_FUNCTIONS = ("TFOpLambda", "SlicingOpLambda")
_OPS = ("keras.src.ops.", "keras.src.activations.", "hornbeam.ops")
_CONSTANT = "_CONSTANT_VALUE"
_RECURRENT = ("RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional", "CuDNNLSTM", "CuDNNGRU", "ConvLSTM2D")  # fmt: skip
_MODELS = ("Sequential", "Functional", "Model")

Translate = Callable[[Config], Config]


def graph_config(inner: Config, layer_config: Translate) -> Config:
    """Return the configuration of a functional model; `layer_config` translates a layer."""
    entries = inner["layers"]
    old = not any(isinstance(call, dict) for e in entries for call in e.get("inbound_nodes", ()))
    reader = _Calls(entries, inner) if old else None
    layers = [_entry(each, reader, layer_config) for each in entries]
    ends = {key: inner[key] for key in ("input_layers", "output_layers")}
    if reader is not None:
        ends = {key: reader.ends(value) for key, value in ends.items()}
    return {**inner, "layers": layers, **ends}


def _entry(entry: Config, reader: _Calls | None, layer_config: Translate) -> Config:
    name = str(entry.get("name") or entry["config"]["name"])
    calls = entry.get("inbound_nodes", [])
    if reader is not None:
        calls = [reader.call(entry, each) for each in calls]
    if entry["class_name"] in _FUNCTIONS:
        return _function(entry, name, calls)
    if entry["class_name"] == raw_ops.CLASS and find_custom(raw_ops.CLASS) is None:
        return _raw_op(entry, name, calls)
    if str(entry.get("module")).startswith(_OPS):
        return entry
    if _is_op(entry):
        module = module_of_class(entry["class_name"])
        return {**entry, "module": module, "registered_name": entry["class_name"]}
    made = layer_config(
        {key: value for key, value in entry.items() if key not in ("name", "inbound_nodes")}
    )
    return {**made, "name": safe_name(name), "inbound_nodes": calls}


def _is_op(entry: Config) -> bool:
    """Return whether an entry without a module is an op of Keras 3: ops have no `trainable`."""
    inner = entry["config"]
    return (
        "module" not in entry
        and isinstance(inner, dict)
        and "trainable" not in inner
        and "batch_shape" not in inner
        and module_of_class(entry["class_name"]) is not None
        and not is_users(entry)
    )


def _function(entry: Config, name: str, calls: list[Config]) -> Config:
    """Return the entry of a function of TensorFlow, or of the op that slices."""
    made = {"name": safe_name(name), "config": {"name": safe_name(name)}, "inbound_nodes": calls}
    if entry["class_name"] == "SlicingOpLambda":
        return {"module": "keras.src.ops.numpy", "class_name": "GetItem", **made}
    function = str(entry["config"].get("function"))
    return {"module": TENSORFLOW, "class_name": function.removeprefix("compat.v1."), **made}


def _raw_op(entry: Config, name: str, calls: list[Config]) -> Config:
    """Return the entry of an operation of TensorFlow's graph: the functions that do the same."""
    found = []
    for call in calls:
        (inputs,) = call["args"]
        tensors = inputs if isinstance(inputs, list) else [inputs]
        found.append(raw_ops.function_of(entry["config"], tensors))
    function = found[0].name if found else "identity"
    made = {"name": safe_name(name), "config": {"name": safe_name(name)}}
    made["inbound_nodes"] = [{"args": each.args, "kwargs": each.kwargs} for each in found]
    if not function:
        return {"module": "keras.src.ops.numpy", "class_name": "GetItem", **made}
    return {"module": TENSORFLOW, "class_name": function, **made}


class _Calls:
    """Translates the calls of one graph."""

    def __init__(self, entries: list[Config], inner: Config) -> None:
        self._entries = {str(each["name"]): each for each in entries}
        used: dict[str, int] = {}
        trees = [each.get("inbound_nodes", []) for each in entries]
        trees += [inner["input_layers"], inner["output_layers"]]
        for name, index in _addresses(trees):
            used[name] = max(used.get(name, 0), index)
        # The graph inside a model counts as its first call; all later calls are used, else they would not be written.
        self._first = {
            name: int(_is_model(entry) and used.get(name, 0) >= len(entry["inbound_nodes"]))
            for name, entry in self._entries.items()
        }

    def call(self, entry: Config, node: Any) -> Config:
        """Return one call."""
        kwargs = _keywords(node)
        if entry["class_name"] == "SlicingOpLambda":
            slices = [_slice(each) for each in kwargs.get("slice_spec", ())]
            return {"args": [self._value(node), self._value(slices)], "kwargs": {}}
        inputs = self._value(node)
        given = {key: value for key, value in kwargs.items() if value is not None and key != "name"}
        named = {key: self._value(value) for key, value in given.items()}
        if entry["class_name"] in _FUNCTIONS:
            return {"args": [inputs], "kwargs": named}
        if isinstance(inputs, list) and len(inputs) == 1:
            inputs = inputs[0]
        if isinstance(inputs, list) and entry["class_name"] in _RECURRENT:
            inputs, named["initial_state"] = inputs[0], inputs[1:]
        # Keras 2 writes no mode of training but what the user gave.
        return {"args": [inputs], "kwargs": named, EXPLICIT_MODE: True}

    def _value(self, tree: Any) -> Any:
        """Return an argument with addresses as symbolic tensors."""
        if _is_address(tree):
            if tree[0] == _CONSTANT:
                return tree[2]
            name, index, place = tree[:3]
            if name not in self._entries:
                raise ValueError(
                    f"The configuration of the model is broken: it has no layer {name!r}."
                )
            address = [safe_name(name), max(index - self._first[name], 0), place]
            return {"class_name": "__keras_tensor__", "config": {"keras_history": address}}
        if isinstance(tree, list):
            return [self._value(each) for each in tree]
        if isinstance(tree, dict):
            return {key: self._value(each) for key, each in tree.items()}
        return tree

    def ends(self, tree: Any) -> Any:
        """Return the addresses of the model's inputs or outputs; one alone is not in a list."""
        if _is_address(tree):
            name, index, place = tree[:3]
            # As Keras 3: the graph of a functional model counts as its first call here.
            counted = _is_graph(self._entries[name])
            return [safe_name(name), index - self._first[name] + counted, place]
        if isinstance(tree, dict):
            return {key: self.ends(each) for key, each in tree.items()}
        return self.ends(tree[0]) if len(tree) == 1 else [self.ends(each) for each in tree]


def _is_model(entry: Config) -> bool:
    inner = entry["config"]
    return isinstance(inner, list) or (isinstance(inner, dict) and "layers" in inner)


def _is_graph(entry: Config) -> bool:
    return _is_model(entry) and isinstance(entry["config"], dict) and "output_layers" in entry["config"]  # fmt: skip


def _is_address(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and (value[0] == _CONSTANT or isinstance(value[2], int))
    )


def _addresses(tree: Any) -> Iterator[tuple[str, int]]:
    """Yield the layer and the number of its call for every address in `tree`."""
    if _is_address(tree):
        if tree[0] != _CONSTANT:
            yield tree[0], tree[1]
        tree = tree[3:]
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _addresses(each)


def _keywords(node: Any) -> Config:
    """Return the keyword arguments of a call: they stand with its first input."""
    if _is_address(node):
        return node[3] if len(node) == 4 else {}
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return next((found for each in inner if (found := _keywords(each))), {})


def _slice(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
        return {"class_name": "__slice__", "config": value}
    return value
