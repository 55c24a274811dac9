"""Functions of TensorFlow in the graphs of Keras 2: `{"class_name": "TFOpLambda", "config": {"function": "math.add"}}`.

A name is looked up among the public functions of `tf`, `tf.math`, `tf.nn` and `tf.linalg` here; nothing else can be named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from hornbeam import linalg, math, nn
from hornbeam.core.errors import unknown_name
from hornbeam.core.symbolic import FunctionCall, Node, symbolic_leaves
from hornbeam.tensors import creation, matrices, picking, shaping

_MODULES: dict[str, ModuleType] = {"math": math, "nn": nn, "linalg": linalg}
_TOP = (creation, matrices, picking, shaping)
# Operators, under the names of TensorFlow's private module for them.
_OPERATORS = {"add": "add", "eq": "equal", "ne": "not_equal"}


def find_function(name: str) -> Callable[..., Any]:
    """Return the function of TensorFlow. Raises ValueError for a name that is not among those known here."""
    prefix, _, short = name.rpartition(".")
    if prefix == "__operators__":
        prefix, short = "math", _OPERATORS.get(short, "")
    found = next((vars(each)[short] for each in _TOP if not prefix and _is_defined(each, short)), None)  # fmt: skip
    module = _MODULES.get(prefix or "math")
    if found is None and module is not None and short in module.__all__:
        found = getattr(module, short)
    if found is None:
        hint = "Replace this call in the model by an op of Keras or a layer, and save it again."
        raise unknown_name("function of TensorFlow", name, [], hint=hint)
    return found


def _is_defined(module: ModuleType, name: str) -> bool:
    """Return whether a module defines a public function itself, rather than importing it."""
    found = vars(module).get(name)
    return not name.startswith("_") and getattr(found, "__module__", None) == module.__name__


class TensorFlowFunction:
    """A function of TensorFlow, called as a layer is called."""

    def __init__(self, function: str, name: str) -> None:
        """`function` is its name in TensorFlow, `name` that of the call in the model."""
        self.fn = find_function(function)
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = {id(each.node) for each in symbolic_leaves((args, kwargs))}
        outputs = self.fn(*args, **kwargs)
        for number, node in enumerate(_new_nodes(outputs, given)):
            # The last op has the name of the call; those before it have names that nothing else in the file has.
            node.operation.name = f"{self.name}.{number}" if number else self.name
        return outputs


def _new_nodes(outputs: Any, given: set[int]) -> Iterator[Node]:
    """Yield the calls of ops between `outputs` and the nodes that were there, the last first."""
    waiting = [each.node for each in symbolic_leaves(outputs)]
    while waiting:
        node = waiting.pop(0)
        if node is None or id(node) in given or not isinstance(node.operation, FunctionCall):
            continue
        given.add(id(node))
        yield node
        waiting += [each.node for each in node.inputs]
