"""Write and read the configuration of a layer; check the arguments that all layers take."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hornbeam.core.errors import did_you_mean
from hornbeam.keras.registry import (
    constructor_arguments,
    described_class,
    serialize_keras_object,
    signature_parameters,
)

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

# Written in Keras's own form, or not at all (`weights`: the first values of the weights).
_BASE_ARGUMENTS = ("name", "trainable", "dtype", "autocast", "weights")

Parameters = Mapping[str, inspect.Parameter]


def check_name(name: str | None) -> None:
    """Raise TypeError if a name is not a string, and ValueError if it contains a slash."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"The name of a layer must be a string; received {name!r}.")
    if name is not None and "/" in name:
        raise ValueError(f"The name of a layer can't contain a slash; received {name!r}.")


def take_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Remove `input_shape` and its variants from `kwargs`, and return the shape with the batch axis.

    Old code gives them to the first layer of a Sequential model.
    """
    batch_size = kwargs.pop("batch_size", None)
    if "input_dim" in kwargs:
        kwargs["input_shape"] = (kwargs.pop("input_dim"),)
    for name in ("batch_input_shape", "batch_shape"):
        if name in kwargs:
            return tuple(kwargs.pop(name))
    if "input_shape" in kwargs:
        shape = kwargs.pop("input_shape")
        return (batch_size, *(shape if isinstance(shape, (tuple, list)) else (shape,)))
    return None


def refuse_unknown(cls: type[Layer], unknown: Mapping[str, Any]) -> None:
    """Raise ValueError, which suggests similar names, if there are unknown arguments."""
    if unknown:
        known = signature_parameters(cls)
        hint = "".join(did_you_mean(each, known) for each in unknown)
        raise ValueError(
            f"{cls.__name__} received unknown arguments: {', '.join(map(repr, unknown))}.{hint}"
        )


def of_layer(layer: Layer) -> dict[str, Any]:
    """Return the constructor's arguments, as values that JSON can hold, in Keras's form."""
    config: dict[str, Any] = {
        "name": layer.name,
        "trainable": layer.trainable,
        "dtype": serialize_keras_object(layer.dtype_policy),
    }
    own = vars(described_class(type(layer))).get("__init__")
    for name, value in constructor_arguments(layer).items():
        listed = own is not None and name in own.__code__.co_varnames[: own.__code__.co_argcount]
        unset = name == "activity_regularizer" and value is None and not listed
        if name not in _BASE_ARGUMENTS and not unset:
            config[name] = serialize_keras_object(value)
    return config


def accepted_arguments(cls: type[Layer]) -> Parameters:
    """Return the parameters of the class's constructor, those of its bases included."""
    return signature_parameters(cls)


def arguments_in(config: Mapping[str, Any], accepted: Parameters) -> dict[str, Any]:
    """Return the part of a configuration that the constructor takes."""
    return {
        key: value for key, value in config.items() if key not in _BASE_ARGUMENTS or key in accepted
    }


def restore_unaccepted(layer: Layer, config: Mapping[str, Any], accepted: Parameters) -> None:
    """Set name and `trainable` on a layer whose constructor does not take them."""
    if "name" not in accepted and "name" in config:
        layer.name = config["name"]
    if "trainable" not in accepted and not config.get("trainable", True):
        layer.trainable = False
