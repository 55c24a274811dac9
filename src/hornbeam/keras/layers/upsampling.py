"""Layers that enlarge space by a whole factor."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.core.config import standardize_data_format
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_choice, as_count, as_counts
from hornbeam.ops.resizing import METHODS, upsample

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class UpSampling1D(Layer):
    """Each step of time `size` times: (b, t, c) -> (b, t * size, c).

    >>> from hornbeam import keras
    >>> print(keras.layers.UpSampling1D(2)([[[1.0], [2.0]]]).numpy().ravel())
    [1. 1. 2. 2.]
    """

    def __init__(self, size: int = 2, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.size = as_count("size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        """b t c -> b t*size c"""
        return upsample(inputs, (self.size,), "channels_last")


class UpSampling2D(Layer):
    """Images enlarged: (b, h, w, c) -> (b, h * size[0], w * size[1], c).

    `interpolation` is "nearest" (each pixel repeated), "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> from hornbeam import keras
    >>> keras.layers.UpSampling2D((2, 3), interpolation="bilinear")(keras.Input((7, 7, 8))).shape
    TensorShape([None, 14, 21, 8])
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.size = as_counts("size", size, 2)
        self.data_format = standardize_data_format(data_format)
        self.interpolation = as_choice("interpolation", interpolation, ("nearest", *METHODS))
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """b h w c -> b h' w' c"""
        return upsample(inputs, self.size, self.data_format, self.interpolation)


class UpSampling3D(Layer):
    """Each voxel repeated: (b, d, h, w, c) -> (b, d * size[0], h * size[1], w * size[2], c)."""

    def __init__(
        self,
        size: Any = (2, 2, 2),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.size = as_counts("size", size, 3)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Any:
        """b d h w c -> b d' h' w' c"""
        return upsample(inputs, self.size, self.data_format)
