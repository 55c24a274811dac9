"""What losses and metrics share beside maths: structures of tensors, masks that tensors carry, configurations."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from hornbeam.core.dtypes import DType
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.tree import is_nested
from hornbeam.keras.registry import serialize_keras_object
from hornbeam.ops.core import cast
from hornbeam.ops.losses.common import same_rank_op


def masks_of(*tensors: Any) -> list[Any]:
    """The masks that tensors carry."""
    masks = (getattr(x, "_keras_mask", None) for x in tensors)
    return [mask for mask in masks if mask is not None]


def as_tensors(tree: Any, dtype: DType | str | None = None) -> Any:
    """The leaves of a structure as tensors, in `dtype` where one is given; a list of numbers is one tensor."""
    if tree is None or is_symbolic(tree):
        return tree if tree is None or dtype is None else cast(tree, dtype)
    if is_nested(tree) and not _is_numbers(tree):
        if isinstance(tree, dict):
            return {key: as_tensors(each, dtype) for key, each in tree.items()}
        parts = [as_tensors(each, dtype) for each in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    tensor = convert_to_tensor(tree)
    return tensor if dtype is None or tensor.dtype == dtype else cast(tensor, dtype)


def _is_numbers(tree: Any) -> bool:
    if isinstance(tree, (list, tuple)):
        return all(map(_is_numbers, tree))
    return isinstance(tree, (bool, int, float, np.generic))


def same_rank_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Two tensors of one rank, as `same_rank`; structures are left alone."""
    if is_nested(y_true) or is_nested(y_pred) or len(y_true.shape) == len(y_pred.shape):
        return y_true, y_pred
    return same_rank_op(y_true, y_pred)


def without_defaults(config: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """`config` without the entries that hold these defaults: Keras does not write them, though it reads them."""
    return {k: v for k, v in config.items() if k not in defaults or v != defaults[k]}


def function_config(fn: Any) -> Any:
    """A function by its name, in the form that Keras writes inside losses and metrics."""
    config = serialize_keras_object(fn)
    if isinstance(config, dict):
        return config
    return {
        "module": "builtins",
        "class_name": "function",
        "config": config,
        "registered_name": "function",
    }


def describe(obj: Any) -> str:
    """`<Huber name=huber_loss, delta=2.0>`: the name, then the arguments that differ from their defaults."""
    parameters = inspect.signature(type(obj)).parameters
    text = f"<{type(obj).__name__} name={obj.name}"
    for name, value in obj.get_config().items():
        if name in ("name", "dtype", "fn"):
            continue
        default = parameters[name].default if name in parameters else inspect.Parameter.empty
        if repr(value) != repr(default):
            text += f", {name}={value!r}"
    return text + ">"
