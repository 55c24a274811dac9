"""Layers that add places at the edges of space, or cut them off."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.keras.engine.arguments import LayerArguments
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_counts, as_pairs

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]

Pairs = tuple[tuple[int, int], ...]


class ZeroPadding(Layer):
    """The common base of the layers that add zeros."""

    rank: int

    def set_padding(self, pairs: Pairs, data_format: str | None) -> None:
        """Store how many zeros come before and after each spatial axis."""
        self.pairs = pairs
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... c"""
        return ops.pad(inputs, _for_all_axes(self.pairs, self.data_format, (0, 0)))


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after time: (b, t, c) -> (b, before + t + after, c); `padding` is a number or (before, after).

    >>> from hornbeam import keras
    >>> keras.layers.ZeroPadding1D((1, 2))(keras.Input((10, 4))).shape
    TensorShape([None, 13, 4])
    """

    rank = 1

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.padding = as_counts("padding", padding, 2, minimum=0)
        self.set_padding((self.padding,), data_format)  # type: ignore[arg-type]


class ZeroPadding2D(ZeroPadding):
    """Zeros around images: (b, h, w, c) -> (b, top + h + bottom, left + w + right, c).

    `padding` is one number for all sides, (height, width), or ((top, bottom), (left, right)).

    >>> from hornbeam import keras
    >>> keras.layers.ZeroPadding2D(((0, 1), (2, 2)))(keras.Input((28, 28, 1))).shape
    TensorShape([None, 29, 32, 1])
    """

    rank = 2

    def __init__(
        self,
        padding: Any = (1, 1),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.padding = as_pairs("padding", padding, 2)
        self.set_padding(self.padding, data_format)


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes: (b, d, h, w, c); `padding` as in `ZeroPadding2D`, for three axes."""

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.padding = as_pairs("padding", padding, 3)
        self.set_padding(self.padding, data_format)


class Cropping(Layer):
    """The common base of the layers that cut off the edges."""

    rank: int

    def set_cropping(self, pairs: Pairs, data_format: str | None) -> None:
        """Store how much is cut off before and after each spatial axis."""
        self.pairs = pairs
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... c"""
        pairs = _for_all_axes(self.pairs, self.data_format, (0, 0))
        if any(
            before + after >= size
            for size, (before, after) in zip(inputs.shape, pairs, strict=True)
            if before + after
        ):
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) would leave nothing of its input of shape "
                f"{tuple(inputs.shape)}: it cuts off {self.pairs} (before and after each spatial axis)."
            )
        return inputs[
            tuple(
                slice(before, size - after)
                for size, (before, after) in zip(inputs.shape, pairs, strict=True)
            )
        ]


class Cropping1D(Cropping):
    """Cut off the ends of time: (b, t, c) -> (b, t - before - after, c).

    >>> from hornbeam import keras
    >>> print(keras.layers.Cropping1D((1, 0))([[[1.0], [2.0], [3.0]]]).numpy().ravel())
    [2. 3.]
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.cropping = as_counts("cropping", cropping, 2, minimum=0)
        self.set_cropping((self.cropping,), "channels_last")  # type: ignore[arg-type]


class Cropping2D(Cropping):
    """Cut off the borders of images: (b, h, w, c) -> (b, h - top - bottom, w - left - right, c).

    `cropping` is one number for all sides, (height, width), or ((top, bottom), (left, right)).

    >>> from hornbeam import keras
    >>> keras.layers.Cropping2D(((2, 2), (4, 4)))(keras.Input((28, 28, 3))).shape
    TensorShape([None, 24, 20, 3])
    """

    rank = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.cropping = as_pairs("cropping", cropping, 2)
        self.set_cropping(self.cropping, data_format)


class Cropping3D(Cropping):
    """Cut off the borders of volumes: (b, d, h, w, c); `cropping` as in `Cropping2D`, for three axes."""

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.cropping = as_pairs("cropping", cropping, 3)
        self.set_cropping(self.cropping, data_format)


def _for_all_axes(pairs: Pairs, data_format: str, nothing: tuple[int, int]) -> Pairs:
    """Return the pairs of the spatial axes, completed for batch and channels."""
    return (
        (nothing, *pairs, nothing) if data_format == "channels_last" else (nothing, nothing, *pairs)
    )
