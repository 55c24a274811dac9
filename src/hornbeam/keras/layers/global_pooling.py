"""Pooling over all of space."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.ops.reduction import masked_mean

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class GlobalPooling(Layer):
    """The common base: (b, s..., c) -> (b, c), or (b, 1..., c) with `keepdims`."""

    rank: int

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def space(self) -> tuple[int, ...]:
        """Return the spatial axes."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))


class GlobalAveragePooling(GlobalPooling):
    """The common base of the layers that take means."""

    def call(self, inputs: Any) -> Any:
        """b s... c -> b c"""
        return ops.mean(inputs, self.space(), self.keepdims)


class GlobalMaxPooling(GlobalPooling):
    """The common base of the layers that take the largest elements."""

    def call(self, inputs: Any) -> Any:
        """b s... c -> b c"""
        return ops.max(inputs, self.space(), self.keepdims)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean over time, of what the mask keeps where there is one: (b, t, c) -> (b, c).

    >>> from hornbeam import keras
    >>> print(keras.layers.GlobalAveragePooling1D()([[[1.0], [3.0], [8.0]]], mask=[[True, True, False]]).numpy())
    [[2.]]
    """

    rank = 1

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """b t c -> b c"""
        if mask is None:
            return super().call(inputs)
        return masked_mean(inputs, mask, self.space()[0], self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return None: the outputs have no time axis."""
        return None


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean over height and width: (b, h, w, c) -> (b, c).

    >>> from hornbeam import keras
    >>> keras.layers.GlobalAveragePooling2D()(keras.Input((7, 7, 512))).shape
    TensorShape([None, 512])
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean over depth, height and width: (b, d, h, w, c) -> (b, c)."""

    rank = 3


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest elements over time: (b, t, c) -> (b, c).

    >>> from hornbeam import keras
    >>> print(keras.layers.GlobalMaxPooling1D()([[[1.0, 5.0], [3.0, 2.0]]]).numpy())
    [[3. 5.]]
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest elements over height and width: (b, h, w, c) -> (b, c).

    >>> from hornbeam import keras
    >>> keras.layers.GlobalMaxPooling2D(keepdims=True)(keras.Input((7, 7, 512))).shape
    TensorShape([None, 1, 1, 512])
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest elements over depth, height and width: (b, d, h, w, c) -> (b, c)."""

    rank = 3


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool3D = GlobalMaxPooling3D
