"""A new model of the same form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.models.model import Functional, Model
from hornbeam.keras.models.sequential import Sequential
from hornbeam.keras.registry import deserialize_keras_object, serialize_keras_object


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """A model of the same layers with new weights.

    `clone_function(layer)` may make the layers of a Sequential model in its own way. Raises ValueError for a subclassed
    model, whose form is code.

    >>> from hornbeam import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).count_params()
    8
    """
    given = {
        "input_tensors": input_tensors,
        "call_function": call_function,
        "recursive": recursive or None,
    }
    if wrong := [name for name, value in given.items() if value is not None]:
        raise NotImplementedError(f"clone_model does not take {', '.join(wrong)} yet.")
    if isinstance(model, Sequential):
        make = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
        clone = Sequential(name=model.name)
        for layer in model._layers:
            clone.add(
                make(layer)
                if layer in model.layers
                else type(layer).from_config(layer.get_config())
            )
        return clone
    if not isinstance(model, Functional):
        raise ValueError(
            f"Only Sequential and functional models can be cloned; received a {type(model).__name__}."
        )
    if clone_function is not None:
        raise NotImplementedError(
            "clone_model takes `clone_function` for Sequential models only, so far."
        )
    return deserialize_keras_object(serialize_keras_object(model))
