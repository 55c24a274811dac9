"""Models from JSON text."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.models.model import Model
from hornbeam.keras.registry import deserialize_keras_object
from hornbeam.keras.registry.custom import Objects
from hornbeam.keras.saving import safe_json
from hornbeam.keras.saving.described import described_in


def model_from_json(json_string: str, custom_objects: Objects | None = None) -> Any:
    """Return the model, with new weights, that `to_json` described.

    Raises ValueError for text that describes no model.

    >>> from hornbeam import keras
    >>> text = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).to_json()
    >>> keras.models.model_from_json(text).count_params()
    8
    """
    data = json_string.encode() if isinstance(json_string, str) else bytes(json_string)
    config = safe_json.parse(data, "The text")
    with described_in("the text"):
        model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(
            f"The text describes a {type(model).__name__}, not a model; expected what Model.to_json() returns."
        )
    return model
