"""Activations by name and by configuration."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.activations.functions import (
    exponential,
    gelu,
    keras2_hard_sigmoid,
    linear,
    relu,
)
from hornbeam.keras.registry import Registry
from hornbeam.ops import activations as ops
from hornbeam.ops.activations import mish
from hornbeam.ops.elementwise import tanh

registry = Registry("activation", "keras.activations")

for _fn in (
    linear,
    relu,
    gelu,
    exponential,
    keras2_hard_sigmoid,
    mish,
    tanh,
    ops.relu6,
    ops.leaky_relu,
    ops.elu,
    ops.celu,
    ops.selu,
    ops.glu,
    ops.sigmoid,
    ops.hard_sigmoid,
    ops.log_sigmoid,
    ops.sparse_sigmoid,
    ops.hard_tanh,
    ops.tanh_shrink,
    ops.soft_shrink,
    ops.hard_shrink,
    ops.threshold,
    ops.softplus,
    ops.sparse_plus,
    ops.squareplus,
    ops.softsign,
    ops.softmax,
    ops.log_softmax,
    ops.sparsemax,
):
    registry.add(_fn)
registry.add(ops.silu, "swish")
registry.add(ops.hard_silu, "hard_swish")


def get(identifier: Any) -> Any:
    """Return the function that a name, a configuration, a function or a layer stands for; `linear` for None.

    Raises ValueError for an unknown name, with near names.

    >>> from hornbeam import keras
    >>> keras.activations.get("swish").__name__, keras.activations.get(None).__name__
    ('silu', 'linear')
    """
    return linear if identifier is None else registry.get(identifier)


def serialize(activation: Any) -> Any:
    """Return the name of a known function, or the configuration of an object.

    >>> from hornbeam import keras
    >>> keras.activations.serialize(keras.activations.relu)
    'relu'
    """
    return registry.serialize(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the function that `serialize` described.

    >>> from hornbeam import keras
    >>> keras.activations.deserialize("tanh").__name__
    'tanh'
    """
    return registry.deserialize(config, custom_objects)
