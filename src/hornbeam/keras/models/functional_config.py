"""A functional model's graph as a configuration, in the form of Keras 3, and from one."""

from __future__ import annotations

from typing import Any, NamedTuple

from hornbeam.core.ordered import tree_map
from hornbeam.core.symbolic import (
    FunctionCall,
    KerasTensor,
    Node,
    is_symbolic,
    symbolic_leaves,
)
from hornbeam.keras.engine.graph import Graph
from hornbeam.keras.engine.input_layer import InputLayer
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.models import operations
from hornbeam.keras.models.tensorflow_functions import TensorFlowFunction
from hornbeam.keras.registry import deserialize_keras_object, serialize_keras_object
from hornbeam.keras.registry.custom import Objects
from hornbeam.keras.registry.reading import building_at_the_end
from hornbeam.keras.saving.keras2 import EXPLICIT_MODE, TENSORFLOW

Config = dict[str, Any]


class _Writer:
    """Writes the calls of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.calls: dict[int, list[Node]] = {}  # of each operation, in order
        self.indices: dict[int, int] = {}  # their numbers
        for node in graph.nodes:
            calls = self.calls.setdefault(id(node.operation), [])
            self.indices[id(node)] = len(calls)
            calls.append(node)

    def entry(self, operation: Any) -> Config:
        """Return the configuration of an operation and of its calls."""
        nodes = self.calls[id(operation)]
        if isinstance(operation, FunctionCall):
            return self._op_entry(operation, nodes[0])
        calls = [] if isinstance(operation, InputLayer) else nodes
        return {
            **serialize_keras_object(operation),
            "name": operation.name,
            "inbound_nodes": [
                {**self._call(n.args, n.kwargs), **_mark_of_mode(operation, n.kwargs)}
                for n in calls
            ],
        }

    def _op_entry(self, operation: FunctionCall, node: Node) -> Config:
        call = operations.describe(operation, node.args, node.kwargs)
        settings = {key: self.value(each) for key, each in call.settings.items()}
        return {
            "module": call.module,
            "class_name": call.class_name,
            "config": {"name": operation.name, **settings},
            "registered_name": call.class_name,
            "name": operation.name,
            "inbound_nodes": [self._call(call.args, call.kwargs)],
        }

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Config:
        return {"args": self.value(args), "kwargs": self.value(kwargs)}

    def value(self, value: Any) -> Any:
        """Return an argument of a call as a configuration."""
        if isinstance(value, KerasTensor):
            config = {
                "shape": tuple(value.shape),
                "dtype": value.dtype.name,
                "keras_history": self.address(value),
            }
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(value, dict):
            return {key: self.value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.value, value))
        return serialize_keras_object(value)

    def address(self, tensor: KerasTensor) -> list[Any]:
        """Return operation, number of the call and place in its outputs."""
        node = tensor.node
        assert node is not None  # the graph has followed it
        return [node.operation.name, self.indices[id(node)], tensor.output_index]

    def end(self, tensor: KerasTensor) -> list[Any]:
        """Return the address of an input or output of the model."""
        name, index, place = self.address(tensor)
        assert tensor.node is not None
        return [name, index + _first_call(tensor.node.operation), place]


def graph_config(graph: Graph) -> Config:
    """Return the operations of a graph with their calls, and the addresses of its inputs and outputs."""
    writer = _Writer(graph)
    return {
        "layers": [writer.entry(operation) for operation in graph.operations],
        "input_layers": tree_map(writer.end, graph.inputs, is_leaf=is_symbolic),
        "output_layers": tree_map(writer.end, graph.outputs, is_leaf=is_symbolic),
    }


def _first_call(operation: Any) -> int:
    """Return the number that an address in `output_layers` has for the first call of an operation.

    Keras counts from 1 there for functional models, whose own graph it counts as a call.
    """
    return int(getattr(operation, "_is_functional", False))


def _mark_of_mode(operation: Any, kwargs: Config) -> Config:
    """Return the mark of a call for which the user asked for the mode of training that is the layer's default.

    Keras writes this default for every call that asks for nothing, and such a layer follows the model around it.
    """
    return {EXPLICIT_MODE: True} if _has_default_mode(operation, kwargs) else {}


def _has_default_mode(operation: Any, kwargs: Config) -> bool:
    if not isinstance(operation, Layer) or kwargs.get("training") is None:
        return False
    return bool(kwargs["training"] == operation._signature().defaults.get("training"))


class _Called(NamedTuple):
    """What a call returned."""

    outputs: Any


class _Reader:
    """Makes the operations of a configuration and calls them."""

    def __init__(self, custom_objects: Objects | None) -> None:
        self.custom_objects = custom_objects
        self.operations: dict[str, Any] = {}
        self.nodes: dict[str, list[Node | _Called]] = {}
        self.waiting: list[tuple[str, Config]] = []

    def add(self, entry: Config) -> None:
        """Make an operation; its calls wait until what they need is there."""
        operation = self._operation(entry)
        name = entry.get("name") or operation.name
        self.operations[name] = operation
        # An InputLayer has its tensor already.
        made_by_itself = operation._inbound_nodes[:1] if isinstance(operation, InputLayer) else []
        self.nodes[name] = list(made_by_itself)
        self.waiting += [(name, call) for call in entry["inbound_nodes"]]

    def _operation(self, entry: Config) -> Any:
        if entry.get("module") == TENSORFLOW:
            return TensorFlowFunction(entry["class_name"], entry["name"])
        if operations.is_operation(entry.get("module"), entry["class_name"]):
            settings = dict(entry["config"])
            name = str(settings.pop("name", None) or entry.get("name"))
            fn = operations.find_operation(entry["module"], entry["class_name"], settings)
            settings.pop("function", None)
            return _OpFromConfig(fn, name, self._settings(settings))
        keys = (
            "module",
            "class_name",
            "config",
            "registered_name",
            "build_config",
            "compile_config",
            "shared_object_id",
        )
        return deserialize_keras_object(
            {key: entry[key] for key in keys if key in entry}, self.custom_objects
        )

    def _settings(self, settings: Config) -> Config:
        return {
            key: operations.as_tuples(deserialize_keras_object(value, self.custom_objects))
            for key, value in settings.items()
        }

    def call_all(self) -> None:
        """Make the calls, each as soon as its inputs are there. Raises ValueError where some never are."""
        while self.waiting:
            rest: list[tuple[str, Config]] = []
            blocked: set[str] = set()  # the calls of one operation keep their order
            for name, call in self.waiting:
                needed = _sources((call["args"], call["kwargs"]))
                ready = name not in blocked and all(
                    i < len(self.nodes.get(source, ())) for source, i in needed
                )
                if ready:
                    self.nodes[name].append(self._call(name, call))
                else:
                    blocked.add(name)
                    rest.append((name, call))
            if len(rest) == len(self.waiting):
                raise ValueError(
                    f"The configuration of the model is broken: the inputs of {rest[0][0]!r} are not in it."
                )
            self.waiting = rest

    def _call(self, name: str, call: Config) -> Node | _Called:
        operation = self.operations[name]
        kwargs = self._filled(call["kwargs"])
        if _has_default_mode(operation, kwargs) and not call.get(EXPLICIT_MODE):
            del kwargs["training"]
        outputs = operation(*self._filled(call["args"]), **kwargs)
        if isinstance(operation, Layer):
            return operation._inbound_nodes[-1]
        if isinstance(operation, TensorFlowFunction):
            return _Called(outputs)
        node = symbolic_leaves(outputs)[0].node
        assert node is not None
        node.operation.name = operation.name
        return node

    def _filled(self, tree: Any) -> Any:
        if isinstance(tree, dict):
            kind = tree.get("class_name")
            if kind == "__keras_tensor__":
                return self._tensor(tree["config"]["keras_history"])
            if kind is not None:
                return deserialize_keras_object(tree, self.custom_objects)
            return {key: self._filled(each) for key, each in tree.items()}
        if isinstance(tree, (list, tuple)):
            return type(tree)(self._filled(each) for each in tree)
        return tree

    def _tensor(self, address: Any) -> KerasTensor:
        name, node_index, tensor_index = address
        return symbolic_leaves(self.nodes[name][node_index].outputs)[tensor_index]

    def ends(self, tree: Any) -> Any:
        """Return the model's inputs or outputs, in the structure that the configuration has."""
        if isinstance(tree, dict):
            return {key: self.ends(each) for key, each in tree.items()}
        if len(tree) == 3 and isinstance(tree[0], str):
            name, index, place = tree
            return self._tensor((name, max(index - _first_call(self.operations[name]), 0), place))
        return type(tree)(self.ends(each) for each in tree)


class _OpFromConfig:
    """An op with its settings, called as a layer is called."""

    def __init__(self, fn: operations.Op[..., Any], name: str, settings: Config) -> None:
        self.fn = fn
        self.name = name
        self.settings = settings

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fn.name == "get_item" and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))  # JSON has no tuples
        given, named = operations.bind(self.fn, self.settings, list(args), kwargs)
        return self.fn(*given, **named)


def graph_from_config(config: Config, custom_objects: Objects | None = None) -> tuple[Any, Any]:
    """Return symbolic inputs and outputs: layers are made anew and called as the configuration says."""
    reader = _Reader(custom_objects)
    with building_at_the_end():
        for entry in config["layers"]:
            reader.add(entry)
        reader.call_all()
    return reader.ends(config["input_layers"]), reader.ends(config["output_layers"])


def _sources(tree: Any) -> list[tuple[str, int]]:
    """Return the operations, and the numbers of their calls, whose outputs are in `tree`."""
    if isinstance(tree, dict):
        if tree.get("class_name") == "__keras_tensor__":
            name, index, _ = tree["config"]["keras_history"]
            return [(name, index)]
        return [source for each in tree.values() for source in _sources(each)]
    if isinstance(tree, (list, tuple)):
        return [source for each in tree for source in _sources(each)]
    return []
