"""Calls on symbolic tensors: record them as nodes of a graph, and find shapes by tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hornbeam.core import scope
from hornbeam.core.names import name_scope
from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.symbolic import KerasTensor, Node, infer
from hornbeam.keras.engine import building
from hornbeam.keras.engine.call_signature import is_shape, tensor_arguments
from hornbeam.keras.engine.calling import bind, run
from hornbeam.keras.engine.context import call_context

if TYPE_CHECKING:
    from hornbeam.core.typing import Shape
    from hornbeam.keras.engine.layer import Layer


def record_call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Add a call of the layer to the graph and return its symbolic outputs."""
    outputs = layer.compute_output_spec(*args, **kwargs)
    layer._inbound_nodes.append(Node(layer, args, kwargs, outputs))
    return outputs


def output_spec(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the symbolic outputs for symbolic inputs, found by tracing `call`."""

    def trace(*inner_args: object, **inner_kwargs: object) -> Any:
        with scope.StateScope(), call_context(fresh=True):
            return run(layer, bind(layer, inner_args, inner_kwargs))

    return infer(trace, *args, **kwargs)


def output_shape(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the shapes of the outputs for inputs of the given shapes; build the layer if it is not built."""

    def placeholder(shape: Shape) -> KerasTensor:
        return KerasTensor(shape, layer.compute_dtype)

    named = {key.removesuffix("_shape"): value for key, value in kwargs.items()}
    symbolic_args, symbolic_kwargs = tree_map(placeholder, (args, named), is_leaf=is_shape)
    if args and "input_shape" in kwargs:
        raise TypeError(
            "compute_output_shape received the input shape twice: by position and as input_shape=. Pass it once."
        )
    if not args and list(named) == ["input"]:
        symbolic_args, symbolic_kwargs = (symbolic_kwargs["input"],), {}
    if not layer.built:
        arguments = layer._signature().bind(layer, symbolic_args, symbolic_kwargs)
        with name_scope(layer.name):
            building.build(layer, tensor_arguments(arguments))
    outputs = layer.compute_output_spec(*symbolic_args, **symbolic_kwargs)
    return tree_map(lambda x: tuple(x.shape), outputs, is_leaf=is_box)


def first_node(layer: Layer, what: str) -> Node:
    """Return the first symbolic call. Raises AttributeError, which names what was asked for, if there was none."""
    if not layer._inbound_nodes:
        raise AttributeError(
            f"The layer {layer.name!r} has no symbolic {what}. Call it on a keras.Input first, or on the output of a layer "
            "that was called on one."
        )
    return layer._inbound_nodes[0]
