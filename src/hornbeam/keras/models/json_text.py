"""Models from JSON text."""

from __future__ import annotations

import json
from typing import Any

from hornbeam.keras.models.model import Model
from hornbeam.keras.registry import deserialize_keras_object
from hornbeam.keras.registry.custom import Objects


def model_from_json(json_string: str, custom_objects: Objects | None = None) -> Any:
    """Return the model, with new weights, that `to_json` described.

    Raises ValueError for text that describes no model.

    >>> from hornbeam import keras
    >>> text = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).to_json()
    >>> keras.models.model_from_json(text).count_params()
    8
    """
    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise ValueError(f"The text is not JSON: {error}.") from error
    model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(
            f"The text describes a {type(model).__name__}, not a model; expected what Model.to_json() returns."
        )
    return model
