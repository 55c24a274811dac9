"""What surrounds the call of a layer: its signature, whether it trains, the losses that it adds."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, convert_to_tensor


class CallContext:
    """Shared by a layer and all layers inside it while the outermost one is being called."""

    def __init__(self, training: bool | None) -> None:
        """`training` None leaves each layer its own default."""
        self.training = training
        self.losses: list[tuple[Any, Any]] = []  # (layer, loss)


class _Local(threading.local):
    def __init__(self) -> None:
        self.context: CallContext | None = None


_local = _Local()


def current_context() -> CallContext | None:
    """The context of the call in progress in this thread; None outside of calls."""
    return _local.context


class call_context:
    """Join the call in progress, or open a new context where there is none."""

    def __init__(self, training: bool | None = None, fresh: bool = False) -> None:
        """`fresh` opens a new context even inside a call: what is added there stays there."""
        self._outer = _local.context
        self.is_outermost = fresh or self._outer is None
        self.context = (
            CallContext(training) if self.is_outermost or self._outer is None else self._outer
        )
        self._training = training
        self._saved_training = self.context.training

    def __enter__(self) -> call_context:
        self.context.training = self._training
        _local.context = self.context
        return self

    def __exit__(self, *exception: object) -> None:
        self.context.training = self._saved_training
        _local.context = self._outer


class CallSignature:
    """The parameters of a layer's `call`, read once per class."""

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
        """Whether `call` takes an argument of that name."""
        return self.takes_any or name in self.names

    def bind(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name. Raises TypeError as Python does, naming the layer."""
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


def convert_arguments(tree: Any, convert: Callable[[Any], Any]) -> Any:
    """Arrays in a structure as tensors, through `convert`."""
    if isinstance(tree, (Tensor, KerasTensor)):
        return convert(tree)

    def leaf(x: Any) -> Any:
        if isinstance(x, (Tensor, KerasTensor)):
            return convert(x)
        if isinstance(x, (np.ndarray, np.generic, jax.Array)) or is_box(x):
            return convert(convert_to_tensor(x))
        if hasattr(x, "__array__") and not isinstance(x, type):
            return convert(convert_to_tensor(np.asarray(x)))
        return x

    return jax.tree.map(leaf, tree, is_leaf=lambda x: is_box(x) or x is None)


def is_number_list(value: Any) -> bool:
    """Whether `value` is a list, or nested lists, of numbers."""
    if not isinstance(value, list):
        return False
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def tensor_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that hold tensors, masks left out."""

    def holds(value: Any) -> bool:
        leaves = jax.tree.leaves(value, is_leaf=is_box)
        return bool(leaves) and all(is_box(leaf) for leaf in leaves)

    return {
        name: value
        for name, value in arguments.items()
        if name != "mask" and not name.endswith("_mask") and value is not None and holds(value)
    }


def mask_of(value: Any) -> Any:
    """The masks of the tensors in a structure; None where none has one."""
    if isinstance(value, (Tensor, KerasTensor)):
        return value._keras_mask
    masks = jax.tree.map(lambda x: getattr(x, "_keras_mask", None), value, is_leaf=is_box)
    return masks if any(m is not None for m in jax.tree.leaves(masks, is_leaf=is_box)) else None


def shape_of(value: Any) -> Any:
    """The shapes of the tensors in a structure."""
    if is_box(value):
        return tuple(value.shape)
    return jax.tree.map(lambda x: tuple(x.shape), value, is_leaf=is_box)


def is_shape(value: Any) -> bool:
    """Whether `value` is one shape, not a structure of shapes."""
    return isinstance(value, (tuple, list)) and all(d is None or isinstance(d, int) for d in value)
