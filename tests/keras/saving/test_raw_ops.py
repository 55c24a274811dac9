"""Operations of TensorFlow's graph in models of TensorFlow 2.0 to 2.3."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.core.protobuf import Writer
from hornbeam.keras.models.tensorflow_functions import find_function
from hornbeam.keras.saving.keras2 import raw_ops
from tests.keras.saving.test_keras2 import Config, entry, functional, made
from tests.tolerances import assert_close

X = np.arange(6.0, dtype="float32").reshape(2, 3)


def text(value: str) -> Config:
    """Return an attribute as JSON has it."""
    return {"s": base64.b64encode(value.encode()).decode()}


def result(config: Config, *tensors: Any) -> Any:
    """Return what the function that is found for a layer makes of tensors."""
    function = raw_ops.function_of(config, list(tensors))
    return find_function(function.name)(*function.args, **function.kwargs)


def config(op: str, constants: Any = None, **attributes: Any) -> Config:
    node = {"name": "n", "op": op, "input": ["x"], "attr": attributes}
    return {"name": "n", "node_def": node, "constants": constants or {}}


@pytest.mark.parametrize(
    ("said", "tensors", "expected"),
    [
        (config("Sub", {"0": 1}), [X], 1 - X),
        (config("Div", {"1": 2.0}, T={"type": "DT_FLOAT"}), [X], X / 2),
        (config("Sum", {"1": [0, 1]}, keep_dims={"b": True}), [X], X.sum(keepdims=True)),
        (config("Max", {"1": 1}, keep_dims={"b": False}), [X], X.max(1)),
        (config("Cast", DstT={"type": "DT_INT32"}), [X + 0.5], X.astype(int)),
        (config("ArgMin", {"1": 0}, output_type={"type": "DT_INT32"}), [X], [0, 0, 0]),
        (config("Squeeze", squeeze_dims={"list": {"i": ["0"]}}), [X[None]], X),
        (config("Squeeze", squeeze_dims={"list": {}}), [X[None, :, None]], X),
        (config("Unpack", num={"i": "2"}, axis={"i": "0"}), [X], X),
        (config("Pack", axis={"i": "-1"}), [X, X], np.stack([X, X], -1)),
        (config("SplitV", {"1": [1, 2], "2": 1}), [X], None),
        (config("MirrorPad", {"1": [[0, 0], [1, 1]]}, mode=text("REFLECT")), [X], np.pad(X, [(0, 0), (1, 1)], "reflect")),
        (config("PadV2", {"1": [[0, 0], [1, 0]], "2": 9.0}), [X], np.pad(X, [(0, 0), (1, 0)], constant_values=9)),
        (config("BiasAdd", {"1": [1.0, 2.0, 3.0]}, data_format=text("NHWC")), [X], X + np.arange(1, 4)),
        (config("BatchMatMulV2", adj_x={"b": False}, adj_y={"b": True}), [X[None], X[None]], (X @ X.T)[None]),
        (config("MatMul", {"1": [[1.0, 0.0]]}, transpose_a={"b": True}), [X[:1]], X[:1].T @ [[1.0, 0.0]]),
        (config("Cumprod", {"1": 1}, reverse={"b": True}), [X], X[:, ::-1].cumprod(1)[:, ::-1]),
        (config("GatherV2", {"2": 1, "1": [2, 0]}, batch_dims={"i": "0"}), [X], X[:, [2, 0]]),
        (config("SelectV2", {"2": 0.0}), [X > 2, X], np.where(X > 2, X, 0)),
        (config("LeakyRelu", alpha={"f": 0.5}), [-X], -X / 2),
        (config("Mul", {"1": {"class_name": "__numpy__", "config": {"value": [1.0, 2.0, 3.0], "dtype": "float32"}}}), [X], X * [1, 2, 3]),
    ],
    ids=lambda value: value["node_def"]["op"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_operations(said: Config, tensors: list[Any], expected: Any) -> None:
    found = result(json.loads(json.dumps(said)), *tensors)
    if expected is None:  # parts of unequal size
        found, expected = np.concatenate([found[1], found[0]], 1), X[:, [1, 2, 0]]
    assert_close(np.asarray(found), np.asarray(expected))


def test_every_function_in_the_tables_is_there() -> None:
    tables = {"math.": {**raw_ops._SAME, **raw_ops._REDUCTIONS}, "nn.": raw_ops._IN_NN, "": raw_ops._AT_TOP}  # fmt: skip
    names = [prefix + each for prefix, table in tables.items() for each in table.values()]
    assert all(callable(find_function(each)) for each in names) and len(names) > 80


def test_a_node_as_text() -> None:
    """TensorFlow before 2.2 wrote the message itself, in which bytes of UTF-8 stand for characters."""
    attributes = {
        "keep_dims": Writer().integer(5, 1, keep_zero=True),
        "T": Writer().integer(6, 1),
        "other": Writer().float32(4, 0.5),
        "axes": Writer().message(1, Writer().integers(3, [1, 2])),
        "place": Writer().integer(3, 5),
        "word": Writer().text(2, "é"),
    }
    node = Writer().text(1, "Mean").text(2, "Mean").text(3, "x")
    for name, value in attributes.items():
        node.message(5, Writer().text(1, name).message(2, value))
    said = {"name": "Mean", "node_def": node.data.decode(), "constants": {"1": -1}}
    assert_close(result(said, X), X.mean(-1, keepdims=True))
    read = raw_ops._node(said["node_def"]).attributes
    assert read == {"keep_dims": True, "T": "float32", "other": 0.5, "axes": [1, 2], "place": 5, "word": "é"}  # fmt: skip


def graph(said: Config) -> Config:
    name = "tf_op_layer_n"
    layer = entry(raw_ops.CLASS, name, [["x", 0, 0, {}]]) | {"config": said}
    return functional(layer, end=name)


def test_a_graph_of_tensorflow_2_3() -> None:
    """One layer after the other, the last of them a slice with an axis more."""
    masks = {"begin_mask": {"i": "1"}, "end_mask": {"i": "1"}, "new_axis_mask": {"i": "2"}}
    cut = config("StridedSlice", {"1": [0, 0, 1], "2": [0, 0, 3], "3": [1, 1, 1]}, **masks)
    model = made(graph(cut))
    assert_close(model(np.array([[1.0, 2, 3, 4]])), [[[2.0, 3.0]]])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (config("ReadFile"), "is the operation 'ReadFile', which is not known here"),
        (config("Shape"), "is the operation 'Shape', which is not known here"),
        (config("PyFunc"), "is the operation 'PyFunc', which is not known here"),
        (config("Div", {"1": 2}, T={"type": "DT_INT32"}), "is the operation 'Div'"),
        (config("Mul", {"1": "x"}), "has a constant that is no number"),
        (config("Mul", {"7": 1.0}), "has a constant at the place 7"),
        (config("Mul", {"a": 1.0}), "is damaged"),
        (config("Cast"), "is damaged"),
        ({**config("Mul"), "node_def": "\x0a\x7f"}, "is damaged"),
        ({**config("Mul"), "node_def": None}, "has no node_def"),
        ({**config("Mul"), "node_def": {}}, "is damaged"),
        (config("StridedSlice", {"1": [0], "2": "x", "3": [1]}), "has a constant that is no number"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_named(said: Config, told: str) -> None:
    with pytest.raises(ValueError, match=f"The layer 'n', an operation of TensorFlow 2.0 to 2.3, {told}"):  # fmt: skip
        made(graph(said))


class Mine(keras.layers.Layer):
    """A user's class for such layers."""

    def __init__(self, node_def: Any, constants: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.op = node_def["op"]

    def call(self, x: Any) -> Any:
        return x


def test_a_class_of_the_user_for_such_layers() -> None:
    model = made(graph(config("ReadFile")), {raw_ops.CLASS: Mine})
    assert model.layers[-1].op == "ReadFile"
