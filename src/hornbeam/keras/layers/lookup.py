"""Layers by name and by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.registry import Registry

__all__ = ["deserialize", "serialize"]

registry = Registry("layer", "keras.layers")


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the configuration of a layer, with its class.

    >>> from hornbeam import keras
    >>> keras.layers.serialize(keras.layers.Flatten())["class_name"]
    'Flatten'
    """
    return registry.serialize(layer)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Layer:
    """Return the layer that `serialize` described.

    >>> from hornbeam import keras
    >>> keras.layers.deserialize({"class_name": "Dense", "config": {"units": 3, "name": "head"}})
    <Dense name=head, built=False>
    """
    layer = registry.deserialize(config, custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(f"Expected the configuration of a layer; received {config!r}.")
    return layer
