"""Small layers that act on each element by itself."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from hornbeam import ops
from hornbeam.keras.engine.arguments import BaseArguments, LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.regularizers import L1L2

__all__ = ["ActivityRegularization", "Identity", "Rescaling"]


class Identity(Layer):
    """The inputs, unchanged.

    >>> from hornbeam import keras
    >>> print(keras.layers.Identity()([1.0, 2.0]).numpy())
    [1. 2.]
    """

    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs


class ActivityRegularization(Layer):
    """The inputs unchanged; adds l1 * sum(|x|) + l2 * sum(x^2), divided by the batch size, to the loss.

    >>> from hornbeam import keras
    >>> layer = keras.layers.ActivityRegularization(l2=0.5)
    >>> _ = layer([[2.0]])
    >>> print(layer.losses[0].numpy())
    2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[BaseArguments]) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        config.pop("activity_regularizer", None)  # made of l1 and l2
        return config


class Rescaling(Layer):
    """x * scale + offset, in floating point: Rescaling(1 / 255) brings pixels to 0 ... 1.

    >>> from hornbeam import keras
    >>> print(keras.layers.Rescaling(1 / 127.5, offset=-1)([0, 255]).numpy())
    [-1.  1.]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """inputs * scale + offset"""
        dtype = self.compute_dtype
        scale, offset = (ops.cast(np.asarray(x), dtype) for x in (self.scale, self.offset))
        return ops.cast(inputs, dtype) * scale + offset
