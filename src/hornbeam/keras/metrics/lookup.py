"""Metrics by name and by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.metrics import crossentropy, regression
from hornbeam.keras.metrics.base import registry

# Short names and names of older versions of Keras; the others are the classes' own in snake_case.
registry.add(crossentropy.BinaryCrossentropy, "bce")
registry.add(crossentropy.KLDivergence, "kld", "kullback_leibler_divergence")
registry.add(regression.LogCoshError, "logcosh", "log_cosh")
registry.add(regression.MeanSquaredError, "mse")
registry.add(regression.MeanAbsoluteError, "mae")
registry.add(regression.MeanAbsolutePercentageError, "mape")
registry.add(regression.MeanSquaredLogarithmicError, "msle")


def get(identifier: Any) -> Any:
    """Return the metric that a name, a configuration, a class, a function `(y_true, y_pred)` or an object stands for.

    Each call with a name makes a new metric. Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.metrics.get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    return registry.get(identifier)


def serialize(metric: Any) -> Any:
    """Return the configuration of a metric.

    >>> from hornbeam import keras
    >>> keras.metrics.serialize(keras.metrics.Mean(name="size"))["config"]
    {'name': 'size', 'dtype': 'float32'}
    """
    return registry.serialize(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the metric that `serialize` described, or that a name stands for.

    >>> from hornbeam import keras
    >>> keras.metrics.deserialize({"class_name": "Precision", "config": {"top_k": 2}})
    <Precision name=precision, top_k=2>
    """
    return registry.deserialize(config, custom_objects)
