"""Ops in configurations: what Keras writes for an op in a functional graph, and the op from it.

Keras writes an op as an object of a class: settings such as an axis are the constructor's arguments and stand in
`config`, tensors are arguments of the call and stand in `inbound_nodes`. Here an op is a function, so its arguments are
divided by their names. An op that Keras does not have is written under its own name, with all arguments in the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from hornbeam.core import config
from hornbeam.core.errors import unknown_name
from hornbeam.core.op import Op
from hornbeam.core.op import registry as ops
from hornbeam.core.symbolic import FunctionCall
from hornbeam.ops.keras_names import keras_class, op_name

_OWN_MODULE = "hornbeam.ops"

# Arguments of the call; all others are settings.
_OPERANDS = frozenset(
    [
        "a",
        "abs_",
        "angle",
        "array",
        "atol",
        "axes_lengths",
        "b",
        "beta",
        "bias",
        "bins",
        "branches",
        "choicelist",
        "condition",
        "condlist",
        "constant_values",
        "data",
        "default",
        "depthwise_kernel",
        "elements",
        "elems",
        "f",
        "false_fn",
        "fill_value",
        "fun",
        "gamma",
        "index",
        "indices",
        "init",
        "init_val",
        "inputs",
        "kernel",
        "key",
        "loop_vars",
        "mask",
        "mean",
        "offset",
        "operands",
        "output_length",
        "sequence_lengths",
        "target_length",
        "output",
        "pattern",
        "pointwise_kernel",
        "pred",
        "predictions",
        "primals",
        "q",
        "query",
        "rtol",
        "scale",
        "segment_ids",
        "sorted_sequence",
        "start",
        "start_indices",
        "step",
        "stop",
        "tangents",
        "target",
        "targets",
        "tensor",
        "true_fn",
        "updates",
        "value",
        "values",
        "variable",
        "variance",
        "weights",
        "x",
        "x1",
        "x2",
        "xs",
        "y",
    ]
)
# Names that are operands elsewhere, but settings of these ops.
_SETTINGS = {
    "allclose": ("rtol", "atol"),
    "bincount": ("weights",),
    "diagonal": ("offset",),
    "histogram": ("bins",),
    "squareplus": ("b",),
    "trace": ("offset",),
    "trapezoid": ("x",),
    "unique": ("fill_value",),
}
# Operands that Keras passes by keyword.
_BY_KEYWORD: dict[str, tuple[str, ...]] = {
    "arange": ("step",),
    "average": ("weights",),
    "dot_product_attention": ("bias", "mask", "scale"),
    "pad": ("constant_values",),
    "rms_normalization": ("scale",),
}
# Settings that an op takes among its further keywords, and their values where they are not passed.
_AMONG_KEYWORDS = {"layer_normalization": {"rms_scaling": False}}
# Settings that Keras fills in where they are None.
_FILLED_IN: dict[str, Callable[[], str]] = {
    "data_format": config.image_data_format,
    "dtype": config.floatx,
}
_WITH_A_TYPE = ("one_hot", "multi_hot")
# Classes of Keras beside those of `keras.ops`, and the op for each.
_ACTIVATIONS = {
    ("keras.src.activations.activations", "ReLU"): "shaped_relu",
    ("keras.src.activations.activations", "Mish"): "mish",
    ("keras.src.ops.core", "ConvertToTensor"): "array",
}
_ACTIVATION_CLASSES = {
    name: names for names, name in _ACTIVATIONS.items() if "activations" in names[0]
}


class Call(NamedTuple):
    """An op's name in configurations, its settings, and the arguments of its call."""

    module: str
    class_name: str
    settings: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def is_operation(module: object, class_name: str) -> bool:
    """Return whether a configuration's module and class mean an op."""
    if not isinstance(module, str):
        return False
    own = module == _OWN_MODULE and class_name == "Op"
    return own or module.startswith("keras.src.ops.") or (module, class_name) in _ACTIVATIONS


def _names(op: str) -> tuple[str, str] | None:
    """Return the module and class of an op in Keras, or None for one that Keras does not have."""
    return keras_class(op) or _ACTIVATION_CLASSES.get(op)


def describe(call: FunctionCall, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Return how a call of an op is written."""
    fn: Op[..., Any] = call.fn
    names = _names(fn.name)
    if names is None:
        return Call(_OWN_MODULE, "Op", {"function": fn.name}, args, kwargs)
    bound = inspect.signature(fn.raw).bind(*args, **kwargs)
    bound.apply_defaults()
    settings: dict[str, Any] = {}
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in inspect.signature(fn.raw).parameters.items():
        value = bound.arguments[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            given += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            among = _AMONG_KEYWORDS.get(fn.name, {})
            settings |= {key: value.get(key, default) for key, default in among.items()}
            named |= {key: each for key, each in value.items() if key not in among}
        elif not _is_operand(fn.name, name):
            settings[name] = _setting(fn.name, name, value)
        elif name in _BY_KEYWORD.get(fn.name, ()):
            named[name] = value
        else:
            given.append(value)
    return Call(*names, settings, tuple(given), named)


def find_operation(module: str, class_name: str, settings: dict[str, Any]) -> Op[..., Any]:
    """Return the op that a configuration names. Raises ValueError, with near names, for one that is not known."""
    if module == _OWN_MODULE:
        name: Any = settings.get("function")
    else:
        name = op_name(module, class_name) or _ACTIVATIONS.get((module, class_name))
    if name not in ops:
        raise unknown_name("op", name or f"{module}.{class_name}", [])
    return ops[name]


def bind(
    fn: Op[..., Any], settings: dict[str, Any], args: list[Any], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments to call `fn` with, from its settings and those of the call as they were written."""
    if _names(fn.name) is None:
        return as_tuples(args), {**settings, **kwargs}
    parameters = inspect.signature(fn.raw).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    # Settings of other versions of Keras that are switched off are of no consequence.
    unknown = {} if takes_any else {k: v for k, v in settings.items() if k not in parameters}
    if wrong := [key for key, value in unknown.items() if value not in (None, False)]:
        raise ValueError(
            f"The op {fn.name!r} does not take {', '.join(map(repr, wrong))}, which the configuration sets."
        )
    rest = {**{k: v for k, v in settings.items() if k not in unknown}, **kwargs}
    operands = list(args)
    positional: list[Any] = []
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += operands
            operands = []
        elif parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
            continue
        elif name in rest:
            positional.append(rest.pop(name))
        elif _is_operand(fn.name, name) and operands:
            positional.append(operands.pop(0))
        elif parameter.default is not parameter.empty:
            positional.append(parameter.default)
        else:
            raise ValueError(
                f"The configuration does not say the argument {name!r} of {fn.name!r}."
            )
    if operands:
        raise ValueError(
            f"The op {fn.name!r} is called with {len(args)} tensors in the configuration, {len(operands)} too many."
        )
    return tuple(positional), rest


def as_tuples(value: Any) -> Any:
    """Return `value` with lists as tuples: JSON has lists only, and axes and shapes are tuples."""
    return tuple(map(as_tuples, value)) if isinstance(value, (list, tuple)) else value


def _is_operand(op: str, name: str) -> bool:
    return name in _OPERANDS and name not in _SETTINGS.get(op, ())


def _setting(op: str, name: str, value: Any) -> Any:
    """Return a setting as Keras writes it."""
    if name == "newshape" and isinstance(value, int):
        return (value,)
    if value is None and (name == "data_format" or (name == "dtype" and op in _WITH_A_TYPE)):
        return _FILLED_IN[name]()
    return value
