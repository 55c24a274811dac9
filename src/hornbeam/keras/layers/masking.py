"""Marking steps of a sequence as absent."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer

__all__ = ["Masking"]


class Masking(Layer):
    """Mask the steps whose features all equal `mask_value`, and set them to 0.

    Later layers that support masks skip masked steps: recurrent layers, averages over time, losses.

    Shapes: (b, t, ..., d) -> the same; mask (b, t, ...)

    >>> from hornbeam import keras
    >>> y = keras.layers.Masking()(keras.ops.array([[[1.0, 0.0], [0.0, 0.0]]]))
    >>> print(y._keras_mask.numpy())
    [[ True False]]
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return a mask, true where a step has a feature that differs from `mask_value`: (b, t, ..., d) -> (b, t, ...)"""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        """b t ... d -> b t ... d"""
        present = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(present, inputs.dtype))
