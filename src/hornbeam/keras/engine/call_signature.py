"""The parameters of a layer's `call`, and the tensors, masks and shapes in the arguments of one call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.ordered import tree_map
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, convert_to_tensor

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hornbeam.core.typing import Shape
    from hornbeam.keras.engine.layer import Layer

    Convert: TypeAlias = Callable[[Tensor | KerasTensor], object]

# Values of exactly these types are not structures: they are not walked through.
PLAIN = frozenset({Tensor, type(None), bool, int, float, str})


class CallSignature:
    """The parameters of a layer's `call`; made once for each class."""

    def __init__(self, call: Callable[..., Any]) -> None:
        """`call` is the unbound method."""
        self.signature = inspect.signature(call)
        parameters = list(self.signature.parameters.values())[1:]
        self.names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.star = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.star_index = [p.name for p in parameters].index(self.star) if self.star else 0
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}

    def accepts(self, name: str) -> bool:
        """Return whether `call` takes an argument of that name."""
        return self.takes_any or name in self.names

    def bind(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name. Raises TypeError as Python does, and names the layer."""
        try:
            bound = self.signature.bind(None, *args, **kwargs)
        except TypeError as error:
            raise TypeError(
                f"Calling the layer {layer.name!r} ({type(layer).__name__}): {error}."
            ) from None
        arguments: dict[str, Any] = {}
        for name, value in list(bound.arguments.items())[1:]:
            kind = self.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                arguments.update(value)
            else:
                arguments[name] = value
        return arguments


def convert_arguments(tree: object, convert: Convert) -> Any:
    """Return a structure with its arrays and tensors replaced by `convert(tensor)`."""
    if isinstance(tree, (Tensor, KerasTensor)):
        return convert(tree)
    if type(tree) in PLAIN:
        return tree

    def leaf(x: object) -> object:
        if isinstance(x, (Tensor, KerasTensor)):
            return convert(x)
        if isinstance(x, (np.ndarray, np.generic, jax.Array)) or is_box(x):
            return convert(convert_to_tensor(x))
        if hasattr(x, "__array__") and not isinstance(x, type):
            return convert(convert_to_tensor(np.asarray(x)))
        return x

    return tree_map(leaf, tree, is_leaf=lambda x: is_box(x) or x is None)


def is_number_list(value: object) -> TypeIs[list[Any]]:
    """Return whether `value` is a list, or nested lists, of numbers."""
    if not isinstance(value, list):
        return False
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def tensor_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that hold nothing but tensors, without the masks."""

    def holds(value: object) -> bool:
        if type(value) in PLAIN:
            return isinstance(value, Tensor)
        leaves = jax.tree.leaves(value, is_leaf=is_box)
        return bool(leaves) and all(is_box(leaf) for leaf in leaves)

    return {
        name: value
        for name, value in arguments.items()
        if name != "mask" and not name.endswith("_mask") and value is not None and holds(value)
    }


def mask_of(value: object) -> Any:
    """Return the masks of the tensors in a structure, or None if no tensor has one."""
    if isinstance(value, (Tensor, KerasTensor)):
        return value._keras_mask
    masks = tree_map(lambda x: getattr(x, "_keras_mask", None), value, is_leaf=is_box)
    return masks if any(m is not None for m in jax.tree.leaves(masks, is_leaf=is_box)) else None


def shape_of(value: object) -> Any:
    """Return the shapes of the tensors in a structure."""
    if is_box(value):
        return tuple(value.shape)
    return tree_map(lambda x: tuple(x.shape), value, is_leaf=is_box)


def is_shape(value: object) -> TypeIs[Shape]:
    """Return whether `value` is one shape, not a structure of shapes."""
    return isinstance(value, (tuple, list)) and all(d is None or isinstance(d, int) for d in value)
