"""Layers that rearrange elements."""

from __future__ import annotations

import math
import operator
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """All axes but the batch in one: (b, ...) -> (b, n); (b,) -> (b, 1).

    With `data_format="channels_first"` channels are moved to the end before, so that the order is that of
    channels_last models.

    >>> from hornbeam import keras
    >>> keras.layers.Flatten()(keras.Input((5, 5, 64))).shape
    TensorShape([None, 1600])
    """

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """b ... -> b n"""
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        batch, *rest = inputs.shape
        return ops.reshape(inputs, (batch, math.prod(rest)))


class Reshape(Layer):
    """The elements of each example in another shape: (b, ...) -> (b, *target_shape).

    One size of `target_shape` may be -1: it follows from the others. Raises ValueError where the number of elements
    differs.

    >>> from hornbeam import keras
    >>> keras.layers.Reshape((7, -1))(keras.Input((28,))).shape
    TensorShape([None, 7, 4])
    """

    def __init__(self, target_shape: Any, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        try:
            self.target_shape = tuple(
                -1 if size is None else operator.index(size) for size in target_shape
            )
        except TypeError:
            raise ValueError(
                f"`target_shape` is a tuple of integers; received {target_shape!r}."
            ) from None
        if self.target_shape.count(-1) > 1 or any(size < -1 for size in self.target_shape):
            raise ValueError(
                f"`target_shape` holds sizes, and -1 at most once; received {tuple(target_shape)}."
            )
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """b ... -> b target_shape..."""
        return ops.reshape(inputs, (inputs.shape[0], *self._target(inputs.shape[1:])))

    def _target(self, shape: Any) -> tuple[int, ...]:
        elements, known = (
            math.prod(shape),
            math.prod(size for size in self.target_shape if size != -1),
        )
        free = -1 in self.target_shape
        if elements != known and not (free and known and elements % known == 0):
            raise ValueError(
                f"The layer {self.name!r} (Reshape) can't bring {elements} elements, the shape {tuple(shape)} of each "
                f"example, into target_shape={self.target_shape}."
            )
        rest = elements // known if known else 0
        return tuple(rest if size == -1 else size for size in self.target_shape)


class Permute(Layer):
    """Axes in another order; `dims` counts from 1, the batch axis stays where it is.

    >>> from hornbeam import keras
    >>> keras.layers.Permute((2, 1))(keras.Input((10, 64))).shape
    TensorShape([None, 64, 10])
    """

    def __init__(self, dims: Any, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"`dims` holds each of the numbers 1 to {len(self.dims)} once, the axes after the batch axis; "
                f"received {self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """b ... -> b ... with the axes in the order of `dims`"""
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each example n times, as a sequence: (b, d) -> (b, n, d).

    >>> from hornbeam import keras
    >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
    TensorShape([None, 3, 32])
    """

    def __init__(self, n: int, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        if not hasattr(n, "__index__"):
            raise TypeError(f"`n` is an integer; received {n!r} of type {type(n).__name__}.")
        self.n = as_count("n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """b d -> b n d"""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)
