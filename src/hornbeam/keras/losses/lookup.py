"""Losses by name and by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.core.names import object_name
from hornbeam.keras.losses import crossentropy, labelled, margin, overlap, regression, sequences
from hornbeam.keras.losses.base import Loss, LossFunctionWrapper, registry
from hornbeam.ops import losses as fn
from hornbeam.ops.losses.ctc import ctc
from hornbeam.ops.losses.labelled import circle

# Each function and the class of the same meaning.
_CLASSES: dict[Any, Any] = {
    fn.binary_crossentropy: crossentropy.BinaryCrossentropy,
    fn.binary_focal_crossentropy: crossentropy.BinaryFocalCrossentropy,
    fn.categorical_crossentropy: crossentropy.CategoricalCrossentropy,
    fn.categorical_focal_crossentropy: crossentropy.CategoricalFocalCrossentropy,
    fn.categorical_hinge: margin.CategoricalHinge,
    fn.cosine_similarity: regression.CosineSimilarity,
    circle: labelled.Circle,
    ctc: sequences.CTC,
    overlap.dice: overlap.Dice,
    fn.hinge: margin.Hinge,
    fn.huber: regression.Huber,
    fn.kl_divergence: crossentropy.KLDivergence,
    fn.log_cosh: regression.LogCosh,
    fn.mean_absolute_error: regression.MeanAbsoluteError,
    fn.mean_absolute_percentage_error: regression.MeanAbsolutePercentageError,
    fn.mean_squared_error: regression.MeanSquaredError,
    fn.mean_squared_logarithmic_error: regression.MeanSquaredLogarithmicError,
    fn.poisson: crossentropy.Poisson,
    fn.sparse_categorical_crossentropy: crossentropy.SparseCategoricalCrossentropy,
    fn.squared_hinge: margin.SquaredHinge,
    overlap.tversky: overlap.Tversky,
}
# Short names, and names of older versions of Keras.
_ALIASES: dict[Any, tuple[str, ...]] = {
    fn.binary_crossentropy: ("bce",),
    fn.huber: ("huber_loss",),
    fn.kl_divergence: ("kld", "kullback_leibler_divergence"),
    fn.log_cosh: ("logcosh",),
    fn.mean_absolute_error: ("mae",),
    fn.mean_absolute_percentage_error: ("mape",),
    fn.mean_squared_error: ("mse",),
    fn.mean_squared_logarithmic_error: ("msle",),
}
# After the classes: "mean_squared_error" is the function, "MeanSquaredError" the class, as in Keras.
for _function in _CLASSES:
    registry.add(_function, *_ALIASES.get(_function, ()))


def get(identifier: Any) -> Any:
    """Return the loss that a name, a configuration, a class, a function `(y_true, y_pred)` or an object stands for.

    The name of a function ("mse", "huber") stands for the function, that of a class ("MeanSquaredError") for an object of it.
    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.losses.get("mse") is keras.losses.mean_squared_error
    True
    """
    return registry.get(identifier)


def serialize(loss: Any) -> Any:
    """Return the configuration of a loss, or the name of a function.

    >>> from hornbeam import keras
    >>> keras.losses.serialize(keras.losses.Huber(delta=2.0))["config"]["delta"]
    2.0
    """
    return registry.serialize(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss that `serialize` described, or that a name stands for.

    >>> from hornbeam import keras
    >>> keras.losses.deserialize({"class_name": "Huber", "config": {"delta": 2.0}})
    <Huber name=huber_loss, delta=2.0>
    """
    return registry.deserialize(name, custom_objects)


def as_loss(identifier: Any) -> Loss | None:
    """`get`, but always an object: a function of Keras becomes the class of the same meaning, others are wrapped.

    >>> as_loss("sparse_categorical_crossentropy")
    <SparseCategoricalCrossentropy name=sparse_categorical_crossentropy>
    """
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    name = object_name(loss)
    found = _CLASSES.get(loss)
    return found(name=name) if found else LossFunctionWrapper(loss, name=name)
