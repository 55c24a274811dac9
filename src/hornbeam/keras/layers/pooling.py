"""Pooling: one value for each window, of a fixed size or in a fixed number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import TensorLike
from hornbeam.keras.engine.arguments import LayerArguments, Sizes, UnnamedArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_choice, as_counts

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class Pooling(Layer):
    """The common base of all layers that pool windows.

    `strides` None is the size of the window. With padding="same" windows may reach over the edge; what is
    outside doesn't count. `data_format` is "channels_last", (b, s..., c), or "channels_first", (b, c, s...).
    """

    rank: int
    pool: Any  # the op

    def __init__(
        self,
        pool_size: Sizes,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedArguments],
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = as_counts("pool_size", pool_size, self.rank)
        self.strides = (
            self.pool_size if strides is None else as_counts("strides", strides, self.rank)
        )
        self.padding = as_choice(f"padding of {type(self).__name__}", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... c"""
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling(Pooling):
    """The common base of the layers that take the largest element."""

    pool = staticmethod(ops.max_pool)

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[UnnamedArguments],
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling1D(MaxPooling):
    """The largest element of each window of time: (b, t, c) -> (b, t', c).

    >>> from hornbeam import keras
    >>> print(keras.layers.MaxPooling1D(2)([[[1.0], [3.0], [2.0], [5.0]]]).numpy().ravel())
    [3. 5.]
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest element of each window of an image: (b, h, w, c) -> (b, h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.MaxPooling2D()(keras.Input((26, 26, 32))).shape
    TensorShape([None, 13, 13, 32])
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest element of each window of a volume: (b, d, h, w, c) -> (b, d', h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.MaxPooling3D()(keras.Input((8, 8, 8, 2))).shape
    TensorShape([None, 4, 4, 4, 2])
    """

    rank = 3


class AveragePooling1D(Pooling):
    """The mean of each window of time: (b, t, c) -> (b, t', c).

    >>> from hornbeam import keras
    >>> print(keras.layers.AveragePooling1D(2)([[[1.0], [3.0], [2.0], [5.0]]]).numpy().ravel())
    [2.  3.5]
    """

    rank = 1
    pool = staticmethod(ops.average_pool)


class AveragePooling2D(Pooling):
    """The mean of each window of an image: (b, h, w, c) -> (b, h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AveragePooling2D(3, strides=2, padding="same")(keras.Input((28, 28, 4))).shape
    TensorShape([None, 14, 14, 4])
    """

    rank = 2
    pool = staticmethod(ops.average_pool)


class AveragePooling3D(Pooling):
    """The mean of each window of a volume: (b, d, h, w, c) -> (b, d', h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AveragePooling3D(2)(keras.Input((8, 8, 8, 2))).shape
    TensorShape([None, 4, 4, 4, 2])
    """

    rank = 3
    pool = staticmethod(ops.average_pool)


class AdaptivePooling(Layer):
    """The common base of all layers that pool as many windows as `output_size` says, whatever the size of the input.

    The windows divide each spatial axis as evenly as they can: window i of n along s elements goes from floor(i s / n)
    up to ceil((i + 1) s / n), so that neighbours may overlap. `data_format` is as in the layers with fixed windows.
    """

    rank: int
    pool: Callable[..., Tensor]  # the op

    def __init__(
        self,
        output_size: Sizes,
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        """Raises ValueError unless `output_size` is one positive integer, or one for each spatial axis."""
        super().__init__(**kwargs)
        self.output_size = as_counts("output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: TensorLike) -> Tensor:
        """b s... c -> b output_size... c"""
        return type(self).pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(AdaptivePooling):
    """The means of `output_size` windows of time: (b, t, c) -> (b, t', c).

    >>> from hornbeam import keras
    >>> print(keras.layers.AdaptiveAveragePooling1D(2)([[[1.0], [3.0], [8.0]]]).numpy().ravel())
    [2.  5.5]
    """

    rank = 1
    pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling2D(AdaptivePooling):
    """The means of `output_size` windows of an image: (b, h, w, c) -> (b, h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AdaptiveAveragePooling2D((7, 5))(keras.Input((28, 30, 4))).shape
    TensorShape([None, 7, 5, 4])
    """

    rank = 2
    pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling3D(AdaptivePooling):
    """The means of `output_size` windows of a volume: (b, d, h, w, c) -> (b, d', h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AdaptiveAveragePooling3D(2)(keras.Input((8, 7, 6, 4))).shape
    TensorShape([None, 2, 2, 2, 4])
    """

    rank = 3
    pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveMaxPooling1D(AdaptivePooling):
    """The largest elements of `output_size` windows of time: (b, t, c) -> (b, t', c).

    >>> from hornbeam import keras
    >>> print(keras.layers.AdaptiveMaxPooling1D(2)([[[1.0], [3.0], [2.0], [5.0]]]).numpy().ravel())
    [3. 5.]
    """

    rank = 1
    pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(AdaptivePooling):
    """The largest elements of `output_size` windows of an image: (b, h, w, c) -> (b, h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AdaptiveMaxPooling2D(4, data_format="channels_first")(keras.Input((3, 9, 9))).shape
    TensorShape([None, 3, 4, 4])
    """

    rank = 2
    pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(AdaptivePooling):
    """The largest elements of `output_size` windows of a volume: (b, d, h, w, c) -> (b, d', h', w', c).

    >>> from hornbeam import keras
    >>> keras.layers.AdaptiveMaxPooling3D((4, 2, 1))(keras.Input((8, 8, 8, 2))).shape
    TensorShape([None, 4, 2, 1, 2])
    """

    rank = 3
    pool = staticmethod(ops.adaptive_max_pool)


AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
