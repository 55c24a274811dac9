"""Configurations of Keras 1 in the form of Keras 2, where that is a plain renaming.

Keras 1 called arguments otherwise (`nb_filter`, `border_mode`, `output_dim`), gave the two sizes of a kernel apart, and had
one layer `Merge` for what are several now. What had another meaning, or weights in another order, is refused by name.
"""

from __future__ import annotations

from typing import Any

from hornbeam.core.user_code import warn
from hornbeam.keras.saving.keras2.names import Config, is_users

_MODELS = ("Sequential", "Model")
_CLASSES = {
    "Convolution2D": "Conv2D",
    "AtrousConvolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",
}
_ARGUMENTS = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
}
_OF_A_CLASS = {
    "Embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer",
        "output_dim": "output_dim",
    },
    "PReLU": {"init": "alpha_initializer"},
    "UpSampling1D": {"length": "size"},
}
# Arguments that are gone, and the values at which each is of no consequence; `...` stands for any value.
_GONE: Config = {
    "consume_less": (...,),
    "dropout": (0, None),  # of an embedding
    "input_dim": (...,),
    "mode": (0,),
}
_KEPT = {"Embedding": ("input_dim",), "SimpleRNN": ("dropout",)}
_SIZES = ("nb_row", "nb_col")
_INITIALIZERS = {
    "normal": "random_normal",
    "one": "ones",
    "uniform": "random_uniform",
    "zero": "zeros",
}
_MERGES = {"ave": "Average", "concat": "Concatenate", "max": "Maximum", "mul": "Multiply", "sum": "Add"}  # fmt: skip
# Layers whose weights Keras 1 kept in another form.
_OTHER_WEIGHTS = ("Convolution1D", "AtrousConvolution1D", "Convolution3D", "Deconvolution2D", "LSTM", "GRU", "ConvLSTM2D")  # fmt: skip
# Arguments that Keras 2 never had.
_TELLING = {*_ARGUMENTS, *_SIZES, "dim_ordering", "inner_activation", "length"} - {"output_dim", "bias"}  # fmt: skip


def translated(config: Config) -> Config:
    """Return the configuration of a model, and warn where Keras 1 wrote it.

    Raises ValueError for what can't be translated.
    """
    made = _translated(config)
    if made != config:
        warn(
            "The model was written by Keras 1: names of its layers and arguments were translated. Save it as '.keras' to keep "
            "it.",
        )
    return made


def _translated(config: Any) -> Any:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        return config
    inner = config.get("config")
    if isinstance(inner, list):
        return {**config, "config": [_translated(each) for each in inner]}
    if not isinstance(inner, dict) or is_users(config):
        return config
    if config["class_name"] == "Merge":
        return _merge(config, inner)
    if isinstance(inner.get("layers"), list):
        layers = [_translated(each) for each in inner["layers"]]
        return {**config, "config": {**inner, "layers": layers}}
    if "layer" in inner:
        return {**config, "config": {**inner, "layer": _translated(inner["layer"])}}
    is_old = config["class_name"] in _CLASSES or _TELLING.intersection(inner)
    return _layer(config, inner) if is_old or _is_norm(config, inner) else config


def _is_norm(config: Config, inner: Config) -> bool:
    return config["class_name"] == "BatchNormalization" and "mode" in inner


def _layer(config: Config, inner: Config) -> Config:
    name = config["class_name"]
    if name in _OTHER_WEIGHTS:
        raise _refused(config, "whose weights are kept in another form today")
    made: Config = {}
    renamed = {
        **_ARGUMENTS,
        "inner_activation": "recurrent_activation",
        **_OF_A_CLASS.get(name, {}),
    }
    for key, value in inner.items():
        if key == "dim_ordering":
            made["data_format"] = _data_format(config, inner)
        elif key in _GONE and key not in _KEPT.get(name, ()):
            if ... not in _GONE[key] and value not in _GONE[key]:
                raise _refused(config, f"with {key}={value!r}, which no layer has today")
        elif key not in _SIZES:
            made[renamed.get(key, key)] = _value(config, key, value)
    if "nb_row" in inner:
        made["kernel_size"] = [inner[key] for key in _SIZES]
    return {**config, "class_name": _CLASSES.get(name, name), "config": made}


def _data_format(config: Config, inner: Config) -> str:
    if inner["dim_ordering"] == "tf":
        return "channels_last"
    if "nb_filter" in inner:
        raise _refused(config, "with dim_ordering='th', in which kernels are kept in another order")
    return "channels_first"


def _value(config: Config, key: str, value: Any) -> Any:
    """Return the value of an argument: initializers had other names, regularizers and constraints another form."""
    if key.endswith("init") and isinstance(value, str):
        return _INITIALIZERS.get(value, value)
    if not isinstance(value, dict) or "class_name" in value or "name" not in value:
        return value
    settings = {each: number for each, number in value.items() if each != "name"}
    kind = str(value["name"]).lower()
    if "regularizer" in kind:
        return {"class_name": "L1L2", "config": settings}
    if kind == "maxnorm":
        settings = {"max_value": settings.get("m", 2), "axis": settings.get("axis", 0)}
        return {"class_name": "MaxNorm", "config": settings}
    if kind in ("nonneg", "unitnorm"):
        return {
            "class_name": {"nonneg": "NonNeg", "unitnorm": "UnitNorm"}[kind],
            "config": settings,
        }
    raise _refused(config, f"with {key}={value!r}, which is not known here")


def _merge(config: Config, inner: Config) -> Config:
    """Return the layer that merges in this mode; its inputs are the calls of a graph."""
    mode = inner.get("mode")
    if inner.get("layers") or inner.get("mode_type", "raw") != "raw" or mode not in _MERGES:
        raise _refused(config, f"with mode={mode!r} or with layers of its own")
    made = {"name": inner.get("name"), "trainable": True}
    if mode == "concat":
        made["axis"] = inner.get("concat_axis", -1)
    return {**config, "class_name": _MERGES[mode], "config": made}


def _refused(config: Config, why: str) -> ValueError:
    name = config["config"].get("name")
    return ValueError(
        f"Keras 1 wrote this model: it has a layer {name!r} of the class {config['class_name']} {why}. Load it with Keras 2, "
        "which translates files of Keras 1, and save it again."
    )
