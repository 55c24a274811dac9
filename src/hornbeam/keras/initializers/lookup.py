"""Initializers by name and by configuration."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.tensor import is_tensor
from hornbeam.keras.initializers.base import registry
from hornbeam.keras.initializers.constant import Constant


def get(identifier: Any) -> Any:
    """Return the initializer that a name, a configuration, a class, a function `(shape, dtype)` or an array stands for.

    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> type(keras.initializers.get("he_normal")).__name__
    'HeNormal'
    """
    if isinstance(identifier, np.ndarray) or is_tensor(identifier):
        return Constant(np.asarray(identifier))
    return registry.get(identifier)


def serialize(initializer: Any) -> Any:
    """Return the configuration of an initializer.

    >>> from hornbeam import keras
    >>> keras.initializers.serialize(keras.initializers.Orthogonal(gain=2.0))["config"]
    {'gain': 2.0, 'seed': None}
    """
    return registry.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the initializer that `serialize` described, or that a name stands for.

    >>> from hornbeam import keras
    >>> keras.initializers.deserialize("ones")((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    return registry.deserialize(config, custom_objects)
