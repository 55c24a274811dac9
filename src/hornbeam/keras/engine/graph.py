"""The graph between symbolic inputs and outputs: sort it, and run it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import jax

from hornbeam.core.op import is_box
from hornbeam.core.ordered import keys_of, tree_map
from hornbeam.core.symbolic import KerasTensor, Node, is_symbolic, symbolic_leaves
from hornbeam.keras.engine.input_layer import InputLayer
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.engine.tracking import unique

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hornbeam.core.symbolic import FunctionCall
    from hornbeam.core.typing import Structure

    Operation: TypeAlias = Layer | FunctionCall


class Graph:
    """The operations that lead from `inputs` to `outputs`, in an order in which they can be run."""

    def __init__(self, inputs: Structure[KerasTensor], outputs: Structure[KerasTensor]) -> None:
        """Raises ValueError if an output can't be computed from the inputs."""
        self.inputs = inputs
        self.outputs = outputs
        self.flat_inputs = symbolic_leaves(inputs)
        self.flat_outputs = symbolic_leaves(outputs)
        for what, tree, flat in (
            ("inputs", inputs, self.flat_inputs),
            ("outputs", outputs, self.flat_outputs),
        ):
            leaves = jax.tree.leaves(tree, is_leaf=is_box)
            if not flat or len(leaves) != len(flat):
                raise ValueError(
                    f"A model's {what} must be symbolic tensors: what keras.Input returns, or a layer called on that; "
                    f"received {tree!r}."
                )
        self.nodes, self.operations = _sort(self.flat_inputs, self.flat_outputs)
        _check_names(self.operations)
        # Found once: `predict` of one row has no time for it.
        self._checking = [n for n in self.nodes if _checks_values(n.operation) and n.args]

    def __getstate__(self) -> dict[str, Any]:
        # Copy the nodes first, in order: a node leads only to earlier ones, so the copying does not recurse deeply.
        return {"nodes": self.nodes, **vars(self)}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        vars(self).update(attributes)
        for node in self.nodes:
            calls = getattr(node.operation, "_inbound_nodes", None)
            if calls is not None and not any(each is node for each in calls):
                calls.append(node)

    @property
    def layers(self) -> list[Layer]:
        """The operations that are layers."""
        return [operation for operation in self.operations if isinstance(operation, Layer)]

    def arrange(self, inputs: object, model: str) -> list[Any]:
        """Return the values in the order of the inputs: by name from a dict, else by position.

        Raises ValueError, which names `model`, if some are missing or too many.
        """
        names = [t.node.operation.name if t.node else t.name for t in self.flat_inputs]
        if isinstance(inputs, dict):
            keys = keys_of(self.inputs) if isinstance(self.inputs, dict) else names
            missing = [key for key in keys if key not in inputs]
            if not missing:
                return [inputs[key] for key in keys]
            raise ValueError(
                f"The model {model!r} takes the inputs {keys}; the dict it received has {sorted(inputs)}: "
                f"missing {missing}."
            )
        flat = jax.tree.leaves(inputs, is_leaf=is_box)
        if len(flat) != len(names):
            raise ValueError(
                f"The model {model!r} takes {len(names)} input(s) {names}, received {len(flat)}."
            )
        return flat

    def run(self, flat_inputs: list[Any], call: Callable[..., Any] | None = None) -> Any:
        """Compute the outputs for given inputs. `call(operation, args, kwargs)`, if given, runs each operation."""
        values = {id(t): x for t, x in zip(self.flat_inputs, flat_inputs, strict=True)}

        def fill(tree: object) -> Any:
            return tree_map(lambda x: values[id(x)] if is_symbolic(x) else x, tree, is_leaf=is_box)

        for node in self.nodes:
            if isinstance(node.operation, InputLayer) or all(
                id(t) in values for t in symbolic_leaves(node.outputs)
            ):
                continue
            args, kwargs = fill(node.args), fill(node.kwargs)
            outputs = (
                call(node.operation, args, kwargs) if call else node.operation(*args, **kwargs)
            )
            flat = jax.tree.leaves(outputs, is_leaf=is_box)
            for tensor, value in zip(symbolic_leaves(node.outputs), flat, strict=True):
                values[id(tensor)] = value
        return fill(self.outputs)

    def check_values(self, inputs: object, model: str) -> None:
        """Let the layers that take the inputs themselves check the values."""
        if not self._checking:
            return
        arranged = self.arrange(inputs, model)
        values = {id(t): x for t, x in zip(self.flat_inputs, arranged, strict=True)}
        for node in self._checking:
            leaves = symbolic_leaves(node.args[0])
            if leaves and all(id(leaf) in values for leaf in leaves):
                given = tree_map(lambda x: values[id(x)], node.args[0], is_leaf=is_symbolic)
                node.operation.check_values(given)


def _check_names(operations: list[Any]) -> None:
    counts = Counter(operation.name for operation in operations)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(
            f"The layers of a model need different names; {twice[0]!r} is the name of {counts[twice[0]]} of them. "
            "Set other names: Dense(8, name=...), or layer.name = ... for a layer or model that is there already."
        )


def _checks_values(operation: object) -> TypeIs[Layer]:
    return isinstance(operation, Layer) and type(operation).check_values is not Layer.check_values


def _producer(tensor: KerasTensor) -> Node:
    if tensor.node is None:
        raise ValueError(
            f"The symbolic tensor {tensor} belongs to no graph. Make symbolic tensors with keras.Input, or by calling "
            "layers and ops on them."
        )
    return tensor.node


def _sort(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Node], list[Any]]:
    """Return the nodes in an order in which they can run, and the operations by depth, as Keras lists a model's layers."""
    given = {id(t) for t in inputs}
    order, first_seen = _visit(inputs, outputs, given)
    depth = {id(node): 0 for node in order}
    operation_depth: dict[int, int] = {}
    # Consumers come before producers here: the depth is the longest way to an output.
    for node in reversed(order):
        level = max(depth[id(node)], operation_depth.get(id(node.operation), 0))
        depth[id(node)] = operation_depth[id(node.operation)] = level
        for tensor in node.inputs if not _is_entrance(node, given) else []:
            producer = _producer(tensor)
            depth[id(producer)] = max(depth[id(producer)], level + 1)
    # A layer that only produced an input of the model (an inner tensor of another model) is not part of it.
    operations = unique(
        n.operation
        for n in order
        if isinstance(n.operation, InputLayer) or not _is_entrance(n, given)
    )
    operations.sort(key=lambda o: (-operation_depth[id(o)], first_seen[id(o)]))
    return order, operations


def _visit(
    inputs: list[KerasTensor], outputs: list[KerasTensor], given: set[int]
) -> tuple[list[Node], dict[int, int]]:
    """Return the nodes between inputs and outputs, producers first, by a depth-first walk without recursion."""
    order: list[Node] = []
    done: set[int] = set()
    first_seen: dict[int, int] = {}
    stack = [(_producer(t), False) for t in [*reversed(inputs), *reversed(outputs)]]
    while stack:
        node, expanded = stack.pop()
        if id(node) in done:
            continue
        if expanded:
            done.add(id(node))
            order.append(node)
            continue
        first_seen.setdefault(id(node.operation), len(first_seen))
        stack.append((node, True))
        if _is_entrance(node, given):
            continue
        if isinstance(node.operation, InputLayer):
            raise ValueError(
                f"The outputs depend on the input {node.operation.name!r}, which is not among the model's inputs "
                f"{[t.name for t in inputs]}. Add it to `inputs`."
            )
        stack += [(_producer(t), False) for t in reversed(node.inputs)]
    return order, first_seen


def _is_entrance(node: Node, given: set[int]) -> bool:
    produced = symbolic_leaves(node.outputs)
    return bool(produced) and all(id(t) in given for t in produced)
