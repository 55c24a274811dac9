"""The layers `TensorFlowOpLayer` of TensorFlow 2.0 to 2.3: one operation of TensorFlow's graph, as a call of a function.

Such a layer has a `node_def` (JSON, or before 2.2 the message itself as text) with the name of the operation and its
attributes, and `constants`: those of its inputs, by their place, that are no outputs of layers. The operation is looked up
in the table here; what stands in a node is never run in another way. Source:
tensorflow/core/framework/node_def.proto and attr_value.proto.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from hornbeam.core.protobuf import Reader
from hornbeam.keras.saving.keras2.names import Config

CLASS = "TensorFlowOpLayer"
_TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool",
    14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
_TYPES_IN_JSON = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}
_DEEPEST = 32  # nested lists in a constant


class Function(NamedTuple):
    """A call of a public function of TensorFlow."""

    name: str
    args: list[Any]
    kwargs: Config = {}


class _Node(NamedTuple):
    op: str
    attributes: Config

    def flag(self, name: str) -> bool:
        return bool(self.attributes.get(name, False))

    def integer(self, name: str, default: int = 0) -> int:
        found = self.attributes.get(name, default)
        return found if isinstance(found, int) else default


# Operations whose inputs are the arguments of a function.
_SAME = {
    "Add": "add", "AddV2": "add", "Sub": "subtract", "Mul": "multiply", "RealDiv": "truediv", "FloorDiv": "floordiv",
    "FloorMod": "floormod", "DivNoNan": "divide_no_nan", "MulNoNan": "multiply_no_nan", "Maximum": "maximum",
    "Minimum": "minimum", "Pow": "pow", "SquaredDifference": "squared_difference", "Atan2": "atan2", "Xlogy": "xlogy",
    "Xdivy": "xdivy", "Equal": "equal", "NotEqual": "not_equal", "Greater": "greater", "GreaterEqual": "greater_equal",
    "Less": "less", "LessEqual": "less_equal", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
    "LogicalNot": "logical_not", "Abs": "abs", "Neg": "negative", "Exp": "exp", "Expm1": "expm1", "Log": "log",
    "Log1p": "log1p", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Square": "square", "Reciprocal": "reciprocal", "Inv": "reciprocal",
    "Sign": "sign", "Floor": "floor", "Ceil": "ceil", "Round": "round", "Rint": "rint", "Sin": "sin", "Cos": "cos",
    "Tan": "tan", "Asin": "asin", "Acos": "acos", "Atan": "atan", "Sinh": "sinh", "Cosh": "cosh", "Tanh": "tanh",
    "Asinh": "asinh", "Acosh": "acosh", "Atanh": "atanh", "Sigmoid": "sigmoid", "Softplus": "softplus",
    "Softsign": "softsign", "Erf": "erf", "Erfc": "erfc", "IsNan": "is_nan", "IsInf": "is_inf", "IsFinite": "is_finite",
    "Softmax": "softmax", "LogSoftmax": "log_softmax",
}  # fmt: skip
_IN_NN = {"Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "L2Loss": "l2_loss"}
_AT_TOP = {
    "Identity": "identity", "StopGradient": "stop_gradient", "Reshape": "reshape", "Transpose": "transpose",
    "ExpandDims": "expand_dims", "Tile": "tile", "BroadcastTo": "broadcast_to", "ClipByValue": "clip_by_value",
    "Select": "where", "SelectV2": "where", "ZerosLike": "zeros_like", "OnesLike": "ones_like", "Pad": "pad",
    "Slice": "slice", "ReverseV2": "reverse",
}  # fmt: skip
_REDUCTIONS = {
    "Sum": "reduce_sum", "Mean": "reduce_mean", "Prod": "reduce_prod", "Max": "reduce_max", "Min": "reduce_min",
    "All": "reduce_all", "Any": "reduce_any",
}  # fmt: skip

_Made = Callable[[_Node, list[Any]], Function]


def _matmul(node: _Node, args: list[Any]) -> Function:
    names = ("adj_x", "adj_y") if node.op.startswith("Batch") else ("transpose_a", "transpose_b")
    adjoint = ("adjoint_a", "adjoint_b") if node.op.startswith("Batch") else names
    flags = {key: True for name, key in zip(names, adjoint, strict=True) if node.flag(name)}
    return Function("linalg.matmul", args, flags)


def _squeeze(node: _Node, args: list[Any]) -> Function:
    axes = node.attributes.get("squeeze_dims") or None
    return Function("squeeze", args, {"axis": axes})


def _gather(node: _Node, args: list[Any]) -> Function:
    params, indices, *axis = args
    batch = node.integer("batch_dims")
    return Function("gather", [params, indices], {"axis": axis[0] if axis else 0, "batch_dims": batch})  # fmt: skip


def _cumulative(node: _Node, args: list[Any]) -> Function:
    flags = {key: node.flag(key) for key in ("exclusive", "reverse")}
    return Function(f"math.{node.op.lower()}", args, flags)


def _strided_slice(node: _Node, args: list[Any]) -> Function:
    """Return the slice in brackets that made the operation."""
    tensor, begin, end, steps = args
    places = begin, end, steps
    if not all(isinstance(each, list) and all(isinstance(n, int) for n in each) for each in places):
        raise _Unknown("has bounds that are computed in the model")
    parts: list[Any] = []
    for bit, (start, stop, step) in enumerate(zip(*places, strict=True)):
        masked = {key: node.integer(f"{key}_mask") >> bit & 1 for key in ("begin", "end", "new_axis", "shrink_axis", "ellipsis")}  # fmt: skip
        if masked["ellipsis"]:
            parts.append({"class_name": "__ellipsis__", "config": {}})
        elif masked["new_axis"]:
            parts.append(None)
        elif masked["shrink_axis"]:
            parts.append(start)
        else:
            bounds = {"start": None if masked["begin"] else start, "stop": None if masked["end"] else stop, "step": step}  # fmt: skip
            parts.append({"class_name": "__slice__", "config": bounds})
    return Function("", [tensor, parts])


def _split(node: _Node, args: list[Any]) -> Function:
    value, count, axis = (args[1], node.integer("num_split"), args[0]) if node.op == "Split" else args  # fmt: skip
    return Function("split", [value, count], {"axis": axis})


_OTHERS: dict[str, _Made] = {
    "MatMul": _matmul,
    "BatchMatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "ConcatV2": lambda _, args: Function("concat", [args[:-1], args[-1]]),
    "Pack": lambda node, args: Function("stack", [args], {"axis": node.integer("axis")}),
    "Unpack": lambda node, args: Function(
        "unstack", args, {"num": node.integer("num"), "axis": node.integer("axis")}
    ),
    "Split": _split,
    "SplitV": _split,
    "Squeeze": _squeeze,
    "AddN": lambda _, args: Function("math.add_n", [args]),
    "PadV2": lambda _, args: Function("pad", args[:2], {"constant_values": args[2]}),
    "MirrorPad": lambda node, args: Function("pad", args, {"mode": node.attributes["mode"]}),
    "BiasAdd": lambda node, args: Function(
        "nn.bias_add", args, {"data_format": node.attributes.get("data_format", "NHWC")}
    ),
    "LeakyRelu": lambda node, args: Function(
        "nn.leaky_relu", args, {"alpha": node.attributes.get("alpha", 0.2)}
    ),
    "Cast": lambda node, args: Function("cast", [*args, node.attributes["DstT"]]),
    "ArgMax": lambda node, args: Function(
        "math.argmax", args, {"output_type": node.attributes.get("output_type", "int64")}
    ),
    "ArgMin": lambda node, args: Function(
        "math.argmin", args, {"output_type": node.attributes.get("output_type", "int64")}
    ),
    "GatherV2": _gather,
    "Gather": _gather,
    "Cumsum": _cumulative,
    "Cumprod": _cumulative,
    "StridedSlice": _strided_slice,
}


class _Unknown(ValueError):
    """An operation that can't be translated."""


def function_of(config: Config, tensors: list[Any]) -> Function:
    """Return the call that a layer stands for; a function of no name slices. `tensors` are the inputs from layers.

    Raises ValueError, naming the operation, for one that is not in the table.
    """
    what = f"The layer {config.get('name')!r}, an operation of TensorFlow 2.0 to 2.3,"
    try:
        node = _node(config.get("node_def"))
        return _function(node, _with_constants(tensors, config.get("constants") or {}))
    except _Unknown as error:
        problem = str(error)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        problem = f"is damaged ({error})"
    raise ValueError(
        f"{what} {problem}. Make the model in code with an op of Keras or a layer in its place, and load the weights with "
        "load_weights."
    )


def _function(node: _Node, args: list[Any]) -> Function:
    for table, prefix in ((_SAME, "math."), (_IN_NN, "nn."), (_AT_TOP, "")):
        if node.op in table:
            return Function(prefix + table[node.op], args)
    if node.op in _REDUCTIONS:
        tensor, axis = args
        keep = node.flag("keep_dims")
        return Function(f"math.{_REDUCTIONS[node.op]}", [tensor], {"axis": axis, "keepdims": keep})
    if node.op == "Div" and node.attributes.get("T") in ("float32", "float64", "float16"):
        return Function("math.truediv", args)
    if node.op not in _OTHERS:
        raise _Unknown(f"is the operation {node.op!r}, which is not known here")
    return _OTHERS[node.op](node, args)


def _with_constants(tensors: list[Any], constants: Config) -> list[Any]:
    """Return all inputs in their order."""
    args = list(tensors)
    for place, value in sorted((int(key), value) for key, value in constants.items()):
        if not 0 <= place <= len(args):
            raise _Unknown(f"has a constant at the place {place}, which it does not have")
        args.insert(place, _numbers(value))
    return args


def _numbers(value: Any, depth: int = 0) -> Any:
    """Return a constant: a number or nested lists of them, which newer versions wrap up."""
    if isinstance(value, dict) and value.get("class_name") == "__numpy__":
        value = value["config"]["value"]
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, list) and depth < _DEEPEST:
        return [_numbers(each, depth + 1) for each in value]
    raise _Unknown("has a constant that is no number")


def _node(said: Any) -> _Node:
    if isinstance(said, dict):
        attributes = said.get("attr", {}).items()
        return _Node(str(said["op"]), {name: _attribute_in_json(each) for name, each in attributes})
    if not isinstance(said, str):
        raise _Unknown("has no node_def")
    message = Reader(said.encode(), "node_def")
    return _Node(message.text(2), {name: _attribute(each) for name, each in message.entries(5, "attribute").items()})  # fmt: skip


def _attribute_in_json(said: Config) -> Any:
    """Return the value of an attribute; JSON has 64-bit integers as text."""
    kind = next(iter(said), "")
    value: Any = said.get(kind)
    if kind == "i":
        return int(value)
    if kind == "type":
        return _TYPES_IN_JSON.get(value, str(value).removeprefix("DT_").lower())
    if kind == "s":
        return base64.b64decode(value).decode()
    if kind == "list":
        return [int(each) for each in value.get("i", ())]
    return value


def _attribute(said: Reader) -> Any:
    """Return the value of an attribute in a message."""
    kind = next(iter(said.numbers), 0)
    if kind == 1:
        return said.message(1, "list").integers(3)
    if kind == 2:
        return said.text(2)
    if kind == 3:
        return said.signed(3)
    if kind == 4:
        return struct.unpack("<f", struct.pack("<I", said.integer(4) & 0xFFFFFFFF))[0]
    if kind == 5:
        return bool(said.integer(5))
    if kind == 6:
        return _TYPES.get(said.integer(6))
    return None
