"""Calls on symbolic tensors: nodes in a graph, shapes by tracing."""

from __future__ import annotations

from typing import Any

import jax

from hornbeam.core import scope
from hornbeam.core.names import name_scope
from hornbeam.core.op import is_box
from hornbeam.core.symbolic import KerasTensor, Node, infer
from hornbeam.keras.engine.building import Buildable
from hornbeam.keras.engine.calling import (
    CallSignature,
    call_context,
    convert_arguments,
    is_shape,
    tensor_arguments,
)


class SymbolicCalls(Buildable):
    """The part of a layer that answers symbolic tensors."""

    _inbound_nodes: list[Node]

    def _signature(self) -> CallSignature:
        raise NotImplementedError

    def _convert_input(self, x: Any) -> Any:
        raise NotImplementedError

    def _value_call(
        self, signature: CallSignature, arguments: dict[str, Any], tensors: dict[str, Any]
    ) -> Any:
        raise NotImplementedError

    def _symbolic_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        outputs = self.compute_output_spec(*args, **kwargs)
        node = Node(self, args, kwargs, outputs)
        self._inbound_nodes.append(node)
        return outputs

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs, with a node in the graph."""
        return self._symbolic_call(args, kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for symbolic inputs, by tracing `call`."""

        def run(*inner_args: Any, **inner_kwargs: Any) -> Any:
            signature = self._signature()
            args, kwargs = convert_arguments((inner_args, inner_kwargs), self._convert_input)
            arguments = signature.bind(self, args, kwargs)
            with scope.StateScope(), call_context(fresh=True):
                return self._value_call(signature, arguments, tensor_arguments(arguments))

        return infer(run, *args, **kwargs)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the outputs for inputs of that shape (a tuple, or a structure of tuples)."""

        def placeholder(shape: Any) -> KerasTensor:
            return KerasTensor(shape, self.compute_dtype)

        named = {key.removesuffix("_shape"): value for key, value in kwargs.items()}
        symbolic_args, symbolic_kwargs = jax.tree.map(placeholder, (args, named), is_leaf=is_shape)
        if args and "input_shape" in kwargs:
            raise TypeError("compute_output_shape received the input shape twice.")
        if not args and list(named) == ["input"]:
            symbolic_args, symbolic_kwargs = (symbolic_kwargs["input"],), {}
        if not self.built:
            with name_scope(self._name):
                self._build(
                    tensor_arguments(self._signature().bind(self, symbolic_args, symbolic_kwargs))
                )
        outputs = self.compute_output_spec(*symbolic_args, **symbolic_kwargs)
        return jax.tree.map(lambda x: tuple(x.shape), outputs, is_leaf=is_box)

    def _from_first_node(self, what: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name!r} has no symbolic {what}: it was not called on a keras.Input, nor on what "
                "comes of one."
            )
        return self._inbound_nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call. Raises AttributeError where there was none."""
        node = self._from_first_node("input")
        return node.args[0] if node.args else node.inputs[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call. Raises AttributeError where there was none."""
        return self._from_first_node("output").outputs
