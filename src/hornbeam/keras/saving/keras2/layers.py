"""Layers and models of Keras 2, in Keras 3's form."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.saving.keras2 import keras1
from hornbeam.keras.saving.keras2.calls import graph_config
from hornbeam.keras.saving.keras2.names import (
    Config,
    function_config,
    is_users,
    named,
    own_class,
    plain,
    safe_name,
    without_unknown,
)

_MODELS = ("Sequential", "Functional", "Model")
_RENAMED = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "SyncBatchNormalization": "BatchNormalization",
}
_RENAMED_ARGUMENTS = {
    ("InputLayer", "batch_input_shape"): "batch_shape",
    ("LeakyReLU", "alpha"): "negative_slope",
}
# Activations that TensorFlow's functions call themselves.
_ACTIVATIONS = {"softmax_v2": "softmax", "leaky_relu_v2": "leaky_relu", "silu_v2": "silu"}
# Names that mean another function since Keras 3.
_CHANGED_ACTIVATIONS = {"hard_sigmoid": "keras2_hard_sigmoid"}
# Arguments that are gone, and the value at which each is of no consequence; `...` stands for any value.
_OBSOLETE: Config = {
    "activity_regularizer": None,
    "adjustment": None,
    "batch_input_shape": ...,
    "causal": False,
    "data_format": ...,
    "dynamic": False,
    "experimental_autocast": ...,
    "function_type": ...,
    "fused": ...,
    "groups": 1,
    "implementation": ...,
    "input_dtype": ...,
    "input_length": ...,
    "kernel_constraint": ...,  # of depthwise and separable convolutions, which have no such kernel
    "kernel_initializer": ...,
    "kernel_regularizer": ...,
    "key_shape": ...,
    "module": ...,
    "output_shape_module": ...,
    "output_shape_type": ...,
    "query_shape": ...,
    "ragged": False,
    "renorm": False,
    "renorm_clipping": ...,
    "renorm_momentum": ...,
    "softmax_robust_masking": ...,
    "sparse": False,
    "stateful": False,
    "time_major": False,
    "value_shape": ...,
    "virtual_batch_size": None,
}
_KINDS = {
    "_initializer": "keras.initializers",
    "_regularizer": "keras.regularizers",
    "_constraint": "keras.constraints",
}


def model_config(config: Config, of_keras_3: bool = False) -> Config:
    """Return the configuration of a model in Keras 3's form. Raises ValueError for what can't be translated.

    In one of Keras 3, only the form is old, not what names mean.
    """
    if not isinstance(config.get("class_name"), str) or "config" not in config:
        raise ValueError(
            'The configuration of the model is broken: it has no "class_name" with a "config".'
        )
    config = plain(config)
    if of_keras_3:
        return layer_config(config)
    return layer_config(_with_old_activations(keras1.translated(config)))


def _with_old_activations(tree: Any) -> Any:
    """Return a configuration that names the functions which Keras 2 meant."""
    if isinstance(tree, dict):
        return {
            key: _CHANGED_ACTIVATIONS.get(each, each)
            if key.endswith("activation") and isinstance(each, str)
            else _with_old_activations(each)
            for key, each in tree.items()
        }
    return [_with_old_activations(each) for each in tree] if isinstance(tree, list) else tree


def layer_config(config: Config) -> Config:
    """Return the configuration of a layer or model in Keras 3's form."""
    name, inner = config["class_name"], config["config"]
    if isinstance(inner, list) or (isinstance(inner, dict) and "layers" in inner):
        return _model(config)
    if not isinstance(inner, dict):
        raise ValueError(f"The configuration of a layer {name!r} is broken: {inner!r}.")
    if "name" in inner:
        inner = {**inner, "name": safe_name(str(inner["name"]))}
    if is_users(config):
        return named("keras.layers", {**config, "config": inner})
    inner = {
        _RENAMED_ARGUMENTS.get((name, key), key): _argument(key, value)
        for key, value in inner.items()
    }
    if name == "Lambda":
        inner["function"] = _function(inner.get("function"))
    made = named(
        "keras.layers", {**config, "class_name": _RENAMED.get(name, name), "config": inner}
    )
    made = without_unknown("keras.layers", made, _OBSOLETE, f"The layer {inner.get('name')!r}")
    if name == "CuDNNLSTM":
        made["config"].setdefault("recurrent_activation", "sigmoid")
    if name == "GRU":  # the argument is younger than the layer
        made["config"].setdefault("reset_after", False)
    return made


def _model(config: Config) -> Config:
    name, inner = config["class_name"], config["config"]
    if isinstance(inner, list):  # a Sequential before Keras 2.2.3
        inner = {"name": None, "layers": inner}
    inner = graph_config(inner, layer_config) if "output_layers" in inner else _stack(inner)
    if inner.get("name"):
        inner["name"] = safe_name(inner["name"])
    if name in _MODELS and not is_users(config):
        return {**config, "module": "keras", "registered_name": None, "config": inner}
    return named("keras", {**config, "config": inner})


def _stack(inner: Config) -> Config:
    """Return the configuration of a Sequential: its input is a layer of its own, and no other knows its shape."""
    first = inner["layers"][0] if inner["layers"] else None
    layers = [layer_config(each) for each in inner["layers"]]
    shape = first["config"].get("batch_input_shape") if isinstance(first, dict) and isinstance(first["config"], dict) else None  # fmt: skip
    for each in layers[1:] if shape is None else layers:
        if isinstance(each["config"], dict):
            each["config"].pop("batch_input_shape", None)
    if first is not None and shape is not None and first["class_name"] != "InputLayer":
        settings = {"batch_shape": shape, "dtype": _input_dtype(first["config"].get("dtype"))}
        settings["name"] = f"{layers[0]['config'].get('name', 'layer')}_input"
        layers.insert(0, {"module": "keras.layers", "class_name": "InputLayer", "config": settings})
    known = isinstance(first, dict) and (shape is not None or first["class_name"] == "InputLayer")
    dropped = ("build_input_shape",) if known else ()
    kept = {key: value for key, value in inner.items() if key not in dropped}
    return {**kept, "layers": layers}


def _input_dtype(dtype: Any) -> Any:
    return dtype if isinstance(dtype, str) else "float32"


def _argument(key: str, value: Any) -> Any:
    """Return one argument of a layer in Keras 3's form."""
    if key == "axis" and isinstance(value, list) and len(value) == 1:
        return value[0]
    if key == "dtype":
        return _dtype(value)
    if key.endswith("activation") and isinstance(value, str):
        return _ACTIVATIONS.get(value, value)
    if isinstance(value, list) and key in ("cells", "layers"):
        return [layer_config(each) for each in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    for ending, module in _KINDS.items():
        if key.endswith(ending):
            return _part(module, value)
    name = str(value["class_name"])
    if own_class("keras.layers", _RENAMED.get(name, name)) is not None and "config" in value:
        return layer_config(value)
    return value


def _part(module: str, config: Config) -> Config:
    """Return the configuration of an initializer, regularizer or constraint in Keras 3's form."""
    made = named(module, {"config": {}, **config})
    return without_unknown(module, made, {"dtype": ...}, f"{config['class_name']}")


def _dtype(value: Any) -> Any:
    if isinstance(value, dict) and str(value.get("class_name")).startswith("Policy"):
        value = value["config"]["name"]
    return None if value in ("_infer", "infer") else value


def _function(function: Any) -> Any:
    """Return what stands for the function of a Lambda: a name, or a note that there was code.

    The code itself is dropped. The user may give a function for it, under the layer's name.
    """
    if isinstance(function, str):
        return function_config(function)
    if isinstance(function, dict) and (
        function.get("class_name") == "function" or not function.get("config")
    ):
        return function  # also the note of a function without a name
    return {"class_name": "__lambda__", "config": {"code": ""}}
