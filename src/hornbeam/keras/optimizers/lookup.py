"""Optimizers by name and by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.optimizers.optimizer import Optimizer, registry


def get(identifier: Any) -> Any:
    """Return the optimizer that a name, a configuration, a class or an optimizer stands for; None for None.

    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.optimizers.get("rmsprop")
    <RMSprop name=rm_sprop, learning_rate=0.001>
    """
    found = registry.get(identifier)
    if found is not None and not isinstance(found, Optimizer):
        raise ValueError(
            f"Could not interpret {identifier!r} as an optimizer: expected a name, a configuration or a "
            "keras.optimizers.Optimizer."
        )
    return found


def serialize(optimizer: Optimizer) -> Any:
    """Return the configuration of an optimizer.

    >>> from hornbeam import keras
    >>> keras.optimizers.serialize(keras.optimizers.SGD(momentum=0.9))["config"]["momentum"]
    0.9
    """
    return registry.serialize(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make the optimizer that `serialize` described.

    >>> from hornbeam import keras
    >>> keras.optimizers.deserialize({"class_name": "sgd", "config": {"learning_rate": 0.5}})
    <SGD name=sgd, learning_rate=0.5>
    """
    return registry.deserialize(config, custom_objects)
