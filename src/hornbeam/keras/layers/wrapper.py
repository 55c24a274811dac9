"""The base of layers that wrap another layer."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer

__all__ = ["Wrapper"]


class Wrapper(Layer):
    """A layer around another one, `self.layer`, which is built with it; subclasses write `call`.

    Raises ValueError where `layer` is no layer.

    >>> from hornbeam import keras
    >>> class Residual(keras.layers.Wrapper):
    ...     def call(self, inputs):
    ...         return inputs + self.layer(inputs)
    >>> Residual(keras.layers.Dense(3))(keras.ops.ones((2, 3))).shape
    TensorShape([2, 3])
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{type(self).__name__} wraps a layer, an object like keras.layers.Dense(8); received {layer!r}."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the wrapped layer for the same inputs."""
        if not self.layer.built:
            self.layer.build(input_shape)
