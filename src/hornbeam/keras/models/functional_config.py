"""A functional model's graph from its configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.core.errors import unknown_name
from hornbeam.core.op import registry as ops
from hornbeam.core.symbolic import FunctionCall, Node, symbolic_leaves
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.registry import deserialize_keras_object


def graph_from_config(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> tuple[Any, Any]:
    """The symbolic inputs and outputs: layers are made anew and called as the configuration says."""
    operations: dict[str, Any] = {}
    nodes: dict[str, list[Node]] = {}
    waiting: list[tuple[str, dict[str, Any]]] = []
    for entry in config["layers"]:
        operation = _operation(entry, custom_objects)
        name = entry.get("name") or operation.name
        operations[name] = operation
        made_by_itself = [] if isinstance(operation, FunctionCall) else operation._inbound_nodes[:1]
        nodes[name] = [] if entry["inbound_nodes"] else list(made_by_itself)
        waiting += [(name, call) for call in entry["inbound_nodes"]]
    while waiting:
        rest = []
        for name, call in waiting:
            args, kwargs = call["args"], call["kwargs"]
            if all(
                index < len(nodes.get(source, ())) for source, index in _sources((args, kwargs))
            ):
                nodes[name].append(
                    _call(operations[name], _filled(args, nodes), _filled(kwargs, nodes))
                )
            else:
                rest.append((name, call))
        if len(rest) == len(waiting):
            raise ValueError(
                f"The configuration of the model is broken: the inputs of {rest[0][0]!r} are not in it."
            )
        waiting = rest

    def find(address: Any) -> Any:
        if isinstance(address, dict):
            return {key: find(each) for key, each in address.items()}
        if len(address) == 3 and isinstance(address[0], str):
            return _tensor(address, nodes)
        return [find(each) for each in address]

    return find(config["input_layers"]), find(config["output_layers"])


def _operation(entry: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    if entry["class_name"] == "Op":
        name = entry["config"]["function"]
        if name not in ops:
            raise unknown_name("op", name, ops)
        return FunctionCall(ops[name], entry["config"]["name"])
    return deserialize_keras_object(
        {
            key: entry[key]
            for key in ("module", "class_name", "config", "registered_name")
            if key in entry
        },
        custom_objects,
    )


def _call(operation: Any, args: Any, kwargs: Any) -> Node:
    outputs = operation(*args, **kwargs)
    if isinstance(operation, Layer):
        return operation._inbound_nodes[-1]
    tensor = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    tensor.node.operation.name = operation.name
    return tensor.node


def _sources(tree: Any) -> list[tuple[str, int]]:
    if isinstance(tree, dict):
        if tree.get("class_name") == "__keras_tensor__":
            name, index, _ = tree["config"]["keras_history"]
            return [(name, index)]
        return [source for each in tree.values() for source in _sources(each)]
    if isinstance(tree, (list, tuple)):
        return [source for each in tree for source in _sources(each)]
    return []


def _filled(tree: Any, nodes: dict[str, list[Node]]) -> Any:
    if isinstance(tree, dict):
        kind = tree.get("class_name")
        if kind == "__keras_tensor__":
            return _tensor(tree["config"]["keras_history"], nodes)
        if kind == "__slice__":
            return slice(*(_filled(each, nodes) for each in tree["config"]))
        if kind == "__ellipsis__":
            return Ellipsis
        if kind is not None:
            return deserialize_keras_object(tree)
        return {key: _filled(each, nodes) for key, each in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(_filled(each, nodes) for each in tree)
    return tree


def _tensor(address: Any, nodes: dict[str, list[Node]]) -> Any:
    name, node_index, tensor_index = address
    return symbolic_leaves(nodes[name][node_index].outputs)[tensor_index]
