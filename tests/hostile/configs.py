"""Attacks through what a configuration says."""

from __future__ import annotations

import base64
import json
import marshal
from pathlib import Path
from typing import Any

from tests.hostile.attack import CANARY, attack, config, layer, with_config, with_layer

_CODE = f"open({CANARY!r}, 'w')"
_BYTES = base64.b64encode(marshal.dumps(compile(_CODE, "x", "exec"))).decode()


def _bad_layer(name: str, told: str, bad: Any, how: str = "load_model") -> None:
    attack(told, how, name)(lambda folder: with_layer(folder, bad))


def _function(value: Any, module: str = "builtins", kind: str = "function") -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": value, "registered_name": value}


_LAMBDA = {
    "class_name": "__lambda__",
    "config": {"value": _BYTES, "defaults": None, "closure": None},
}

_bad_layer("byte_code_in_a_lambda", "bad", layer("Lambda", function=_LAMBDA))
_bad_layer("byte_code_without_safe_mode", "bad", layer("Lambda", function=_LAMBDA), "unsafe")
_bad_layer(
    "byte_code_as_keras_2_stores_it",
    "bad|Lambda",
    layer("Lambda", function=[_BYTES, None, None], function_type="lambda"),
)
_bad_layer("byte_code_as_an_activation", "bad|lambda", layer("Dense", units=2, activation=_LAMBDA))
_bad_layer("eval_as_a_lambda", "bad|eval", layer("Lambda", function=_function("eval")))
_bad_layer("eval_as_an_activation", "eval", layer("Dense", units=2, activation=_function("eval")))
_bad_layer("a_function_of_os", "system", layer("Lambda", function=_function("system", "os")))
_bad_layer("a_class_of_subprocess", "Popen", layer("Popen", "subprocess", args=["touch", CANARY]))
_bad_layer("a_class_of_builtins", "exec", layer("exec", "builtins"))
_bad_layer("get_file", "get_file", layer("get_file", "keras.utils", origin="http://127.0.0.1:9/x"))
_bad_layer(
    "get_file_as_a_function",
    "get_file",
    layer("Lambda", function=_function("get_file", "keras.src.utils.file_utils")),
)
_bad_layer(
    "the_switch_of_unsafe_loading",
    "unsafe",
    layer("Lambda", function=_function("enable_unsafe_deserialization", "keras.config")),
)
_bad_layer(
    "load_model_within", "load_model", layer("load_model", "keras.saving", filepath="/etc/passwd")
)
_bad_layer("a_dunder_name", "__import__", layer("__import__", "builtins"))
_bad_layer(
    "a_path_of_attributes",
    "system",
    layer("Dense", units=2, activation=_function("keras.src.utils.os.system")),
)
_bad_layer("a_class_of_ours_that_is_no_layer", "SGD|sgd", layer("SGD", "keras.optimizers"))
_bad_layer(
    "a_registered_name_of_another",
    "evil",
    {**layer("Dense", "evil", units=2), "registered_name": "evil>Dense"},
)
_bad_layer(
    "a_model_of_tensorflow",
    "TFSMLayer",
    layer("TFSMLayer", filepath="/tmp/x", call_endpoint="serve"),
)
_bad_layer("a_function_of_jax", "JaxLayer", layer("JaxLayer", call_fn=_LAMBDA))
_bad_layer(
    "a_pickle_of_torch",
    "TorchModuleWrapper",
    {
        **layer("TorchModuleWrapper", "keras.src.utils.torch_utils"),
        "config": {"name": "bad", "module": _BYTES},
    },
)
_bad_layer(
    "a_vocabulary_in_a_file",
    "vocabulary|Lookup|Vectorization",
    layer("StringLookup", vocabulary="/etc/passwd"),
)
_bad_layer(
    "a_vocabulary_at_an_address",
    "vocabulary|Lookup|Vectorization",
    layer("StringLookup", vocabulary="http://127.0.0.1:9/v"),
)
_bad_layer(
    "numbers_of_a_vocabulary_in_a_file",
    "vocabulary|Lookup|Vectorization",
    layer("IntegerLookup", vocabulary="/etc/passwd"),
)
_bad_layer(
    "words_of_a_text_in_a_file",
    "vocabulary|Lookup|Vectorization",
    layer("TextVectorization", vocabulary="/etc/passwd"),
)
_bad_layer(
    "a_lambda_in_a_wrapper",
    "inner|Lambda",
    layer(
        "TimeDistributed",
        layer={
            **layer("Lambda", function=_LAMBDA),
            "config": {**layer("Lambda", function=_LAMBDA)["config"], "name": "inner"},
        },
    ),
)
_bad_layer("units_2_to_36", "bad", layer("Dense", units=2**36))
_bad_layer("units_2_to_27", "bad", layer("Dense", units=2**27))
_bad_layer("units_below_0", "bad|units", layer("Dense", units=-(2**33)))
_bad_layer("units_of_300_digits", "bad|units", layer("Dense", units=10**300))
_bad_layer("units_of_500_digits", "config.json", layer("Dense", units=10**500))
_bad_layer(
    "an_embedding_of_terabytes", "bad", layer("Embedding", input_dim=10**9, output_dim=10**6)
)
_bad_layer("a_table_of_identity", "bad", layer("Dense", units=2**17, kernel_initializer="identity"))
_bad_layer(
    "an_object_array",
    "object|Normalization",
    layer(
        "Normalization",
        mean={"class_name": "__numpy__", "config": {"value": [_BYTES], "dtype": "object"}},
        variance=[1.0],
    ),
)
_bad_layer(
    "an_array_of_items_of_gigabytes",
    "V2000000000",
    layer(
        "Dense",
        units={"class_name": "__numpy__", "config": {"value": [0], "dtype": "V2000000000"}},
    ),
)
_bad_layer(
    "a_name_that_is_a_path",
    "bad|evil|name",
    {**layer("Dense", units=2), "config": {"name": "../../evil", "units": 2}},
)
_bad_layer(
    "a_name_that_is_a_list",
    "name|list|bad",
    {**layer("Dense", units=2), "config": {"name": ["x"], "units": 2}},
)
_bad_layer(
    "a_class_that_is_a_list", "class_name|list|config", {**layer("Dense"), "class_name": ["Dense"]}
)
_bad_layer(
    "a_module_that_is_a_number", "Dense|module|bad", {**layer("Dense", units=2), "module": 3}
)
_bad_layer("arguments_that_are_a_text", "Dense", {**layer("Dense"), "config": "units"})
_bad_layer("arguments_that_nobody_knows", "evil_argument", layer("Dense", units=2, evil_argument=1))
_bad_layer(
    "a_build_of_sizes_below_0",
    "bad|shape",
    {**layer("Dense", units=2), "build_config": {"input_shape": [None, -5]}},
)
_bad_layer(
    "a_build_of_2_to_40",
    "bad",
    {**layer("Dense", units=2), "build_config": {"input_shape": [None, 2**40]}},
)
_bad_layer(
    "a_policy_of_another_module",
    "system|dtype",
    layer(
        "Dense", units=2, dtype={"module": "os", "class_name": "system", "config": {"name": "x"}}
    ),
)
_bad_layer(
    "a_regularizer_of_another_module",
    "system",
    layer(
        "Dense",
        units=2,
        kernel_regularizer={
            "module": "os",
            "class_name": "system",
            "config": {"command": f"touch {CANARY}"},
        },
    ),
)
_bad_layer("a_type_that_is_none", "config.json", layer("Dense", units=2, dtype="O"))


def _changed(name: str, told: str, how: str = "load_model") -> Any:
    def enter(change: Any) -> Any:
        def make(folder: Path) -> Path:
            found = config()
            return with_config(folder, change(found) or found)

        return attack(told, how, name)(make)

    return enter


@_changed("a_loss_of_another_module", "system|loss")
def _(found):
    found["compile_config"]["loss"] = {"module": "os", "class_name": "system", "config": {}}


@_changed("byte_code_as_a_loss", "loss|lambda")
def _(found):
    found["compile_config"]["loss"] = _LAMBDA


@_changed("byte_code_as_a_metric", "metric|lambda")
def _(found):
    found["compile_config"]["metrics"] = [_LAMBDA]


@_changed("an_optimizer_of_another_module", "Popen|optimizer")
def _(found):
    found["compile_config"]["optimizer"] = {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", CANARY]},
    }


@_changed("a_schedule_of_byte_code", "SGD")
def _(found):
    found["compile_config"]["optimizer"]["config"]["learning_rate"] = _LAMBDA


@_changed("a_model_that_is_a_function", "eval|model")
def _(found):
    return _function("eval")


@_changed("a_model_that_is_a_layer_s_name", "m.keras|model")
def _(found):
    return "Dense"


@_changed("a_model_that_is_an_optimizer", "SGD|model")
def _(found):
    return found["compile_config"]["optimizer"]


@_changed("layers_that_are_a_number", "config.json")
def _(found):
    found["config"]["layers"] = 7


@_changed("three_thousand_models_in_each_other", "config.json|deep")
def _(found):
    text = '{"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": ['
    return (text * 3000 + "]}}" * 3000).encode()


@_changed("thirty_models_in_each_other", "weights|model")
def _(found):
    inner = found
    for number in range(30):
        inner = {
            "module": "keras",
            "class_name": "Sequential",
            "config": {"name": f"m{number}", "layers": [inner]},
        }
    return inner


@_changed("a_hundred_thousand_brackets", "config.json")
def _(found):
    return b'{"class_name": "Sequential", "config": ' + b"[" * 100_000


@_changed("millions_of_lists", "config.json")
def _(found):
    return b'{"class_name": "Sequential", "config": [' + b"[]," * 2_000_000 + b"[]]}"


@_changed("a_number_of_a_hundred_thousand_digits", "config.json")
def _(found):
    return json.dumps(found).replace('"units": 3', '"units": ' + "9" * 100_000).encode()


@_changed("a_key_twice", "config.json")
def _(found):
    return json.dumps(found).replace('"units": 3', '"units": 3, "units": 4').encode()


@_changed("a_text_in_another_code", "config.json")
def _(found):
    return b"\xff\xfe" + json.dumps(found).encode("utf-16-le")


@_changed("no_json", "config.json")
def _(found):
    return json.dumps(found)[:-30].encode()


def _graph(layers: list[Any], inputs: Any, outputs: Any) -> dict[str, Any]:
    inner = {
        "name": "g",
        "trainable": True,
        "layers": layers,
        "input_layers": inputs,
        "output_layers": outputs,
    }
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": inner}


def _node(kind: str, name: str, inputs: list[str], **arguments: Any) -> dict[str, Any]:
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [each, 0, 0]},
        }
        for each in inputs
    ]
    nodes = [{"args": tensors, "kwargs": {}}] if tensors else []
    return {**described(kind, name=name, **arguments), "name": name, "inbound_nodes": nodes}


def described(kind: str, **arguments: Any) -> dict[str, Any]:
    """Return the configuration of a layer with these arguments alone."""
    return {**layer(kind), "config": arguments}


_INPUT = _node("InputLayer", "x", [], batch_shape=[None, 4])


@_changed("a_graph_in_a_circle", "p|q|circle|graph")
def _(found):
    circle = [_INPUT, _node("Dense", "p", ["q"], units=4), _node("Dense", "q", ["p"], units=4)]
    return _graph(circle, [["x", 0, 0]], [["q", 0, 0]])


@_changed("a_graph_that_names_a_missing_layer", "missing")
def _(found):
    return _graph([_INPUT, _node("Dense", "p", ["missing"], units=4)], [["x", 0, 0]], [["p", 0, 0]])


@_changed("a_graph_with_an_operation_of_os", "system")
def _(found):
    bad = {**_node("system", "p", ["x"]), "module": "os"}
    return _graph([_INPUT, bad], [["x", 0, 0]], [["p", 0, 0]])


@_changed("a_graph_with_an_operation_that_is_none", "Exec|exec")
def _(found):
    bad = {**_node("Exec", "p", ["x"]), "module": "keras.src.ops.core"}
    return _graph([_INPUT, bad], [["x", 0, 0]], [["p", 0, 0]])


@_changed("a_function_of_tensorflow_s_files", "TFOpLambda")
def _(found):
    bad = {**_node("TFOpLambda", "p", ["x"], function="io.read_file"), "module": "keras.layers"}
    return _graph([_INPUT, bad], [["x", 0, 0]], [["p", 0, 0]])


@_changed("a_node_of_another_number", "p|node")
def _(found):
    return _graph([_INPUT, _node("Dense", "p", ["x"], units=4)], [["x", 0, 0]], [["p", 10**6, -1]])


@_changed("a_graph_that_makes_a_huge_tensor", "bad|weights|p")
def _(found):
    wide = _node("UpSampling1D", "p", ["x"], size=2**40)
    return _graph([_INPUT, wide], [["x", 0, 0]], [["p", 0, 0]])
