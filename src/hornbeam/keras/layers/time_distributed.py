"""A layer applied to every step of a sequence."""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.wrapper import Wrapper

__all__ = ["TimeDistributed"]


class TimeDistributed(Wrapper):
    """Apply a layer to each step of a sequence, with the same weights.

    Shapes: (b, t, ...) -> (b, t, *what the layer makes of ...)

    The steps are laid out along the batch axis and go through the layer together, except where what one step leaves
    behind changes the next one: while training with moving averages, and for stateful layers. A mask (b, t, ...) goes
    to a layer that takes one.

    Raises ValueError for inputs of less than 3 axes.

    >>> from hornbeam import keras
    >>> frames = keras.ops.ones((2, 10, 28, 28, 3))
    >>> keras.layers.TimeDistributed(keras.layers.Conv2D(8, 3))(frames).shape
    TensorShape([2, 10, 26, 26, 8])
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step."""
        if len(input_shape) < 3:
            raise ValueError(
                f"The layer {self.name!r} (TimeDistributed) takes (batch, time, ...), at least 3 axes; received shape "
                f"{tuple(input_shape)}."
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """b t ... -> b t ..."""
        if "mask" not in inspect.signature(self.layer.call).parameters:
            mask = None
        if self._needs_order(training):
            return self._one_by_one(inputs, mask)
        batch_size, time = inputs.shape[:2]
        options = {} if mask is None else {"mask": _folded(mask)}
        outputs = self.layer(_folded(inputs), **options)
        return tree.map_structure(
            lambda x: ops.reshape(x, (batch_size, time, *x.shape[1:])), outputs
        )

    def _one_by_one(self, inputs: Any, mask: Any) -> Any:
        outputs = []
        for step in range(inputs.shape[1]):
            options = {} if mask is None else {"mask": mask[:, step]}
            outputs.append(self.layer(inputs[:, step], **options))
        return tree.map_structure(lambda *steps: ops.stack(steps, axis=1), *outputs)

    def _needs_order(self, training: bool | None) -> bool:
        layers = self.layer.flatten_layers()
        if any(getattr(layer, "stateful", False) for layer in layers):
            return True
        return bool(training) and any(not v.made_trainable for v in self.layer.weights)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the inputs; a step whose mask the layer consumes is masked if all of it was."""
        if previous_mask is None or len(previous_mask.shape) < 3:
            return previous_mask
        inner = self.layer.compute_mask(_folded(inputs), _folded(previous_mask))
        if inner is not None:
            return previous_mask
        return ops.any(previous_mask, axis=tuple(range(2, len(previous_mask.shape))))


def _folded(x: Any) -> Any:
    """(b, t, ...) -> (b * t, ...)"""
    return ops.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
