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

    Raises ValueError for text that describes no model, TypeError for what is no text.

    >>> from hornbeam import keras
    >>> text = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).to_json()
    >>> keras.models.model_from_json(text).count_params()
    8
    """
    if not isinstance(json_string, (str, bytes, bytearray)):
        raise TypeError(
            f"Expected JSON text as Model.to_json() returns it; received a {type(json_string).__name__}. For a configuration "
            "as a dict use keras.saving.deserialize_keras_object, or from_config of the model's class."
        )
    data = json_string.encode() if isinstance(json_string, str) else bytes(json_string)
    try:
        config = safe_json.parse(data, "The text")
    except ValueError as error:
        if data.lstrip().startswith(b"{"):
            raise
        raise ValueError(
            f"{error} It begins with {json_string[:40]!r}; for a file pass what is in it: model_from_json(open(path).read())."
        ) from None
    with described_in("the text"):
        model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(
            f"The text describes a {type(model).__name__}, not a model; expected what Model.to_json() returns."
        )
    return model
