"""Convolutions with a full kernel: each filter sees all channels of its group."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    BaseArguments,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Sizes,
)
from hornbeam.keras.layers.arguments import as_count
from hornbeam.keras.layers.conv_base import BaseConv

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]


class Conv(BaseConv):
    """The common base of Conv1D, Conv2D and Conv3D.

    activation(conv(x, kernel) + bias); kernel (k..., c / groups, filters), bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[BaseArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = as_count("filters", filters)
        self.groups = as_count("groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"`groups` divides `filters` evenly; received filters={filters} and groups={groups}."
            )
        self.set_window(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
        )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.set_output(
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = self.input_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) has groups={self.groups}, which doesn't divide the "
                f"{channels} channels of its input of shape {tuple(input_shape)}."
            )
        self.kernel = self.add_named_weight(
            "kernel", (*self.kernel_size, channels // self.groups, self.filters)
        )
        self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... filters"""
        self.check_space(inputs.shape)
        return self.finish(
            ops.conv(
                inputs,
                self.kernel,
                self.strides,
                self.padding,
                self.data_format,
                self.dilation_rate,
            )
        )


class Conv1D(Conv):
    """Filters slid over time.

    activation(conv(x, kernel) + bias); (b, t, c) -> (b, t', filters), kernel (k, c / groups, filters). With
    padding="same" t' = ceil(t / strides); "valid" (no padding) takes only whole windows; "causal" pads before only, so
    that step t sees nothing that comes after it. Raises ValueError for arguments that exclude each other, and for
    inputs of another rank or number of channels.

    >>> from hornbeam import keras
    >>> keras.layers.Conv1D(8, 3)(keras.Input((10, 4))).shape
    TensorShape([None, 8, 8])
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(Conv):
    """Filters slid over the height and width of images.

    activation(conv(x, kernel) + bias); (b, h, w, c) -> (b, h', w', filters), kernel (kh, kw, c / groups, filters). With
    padding="same" h' = ceil(h / stride); "valid" (no padding) takes only whole windows. Raises ValueError for arguments
    that exclude each other, and for inputs of another rank or number of channels.

    >>> from hornbeam import keras
    >>> keras.layers.Conv2D(32, 3, activation="relu")(keras.Input((28, 28, 1))).shape
    TensorShape([None, 26, 26, 32])
    """

    rank = 2


class Conv3D(Conv):
    """Filters slid over the depth, height and width of volumes, or over the frames of videos.

    activation(conv(x, kernel) + bias); (b, d, h, w, c) -> (b, d', h', w', filters), with the arguments of `Conv2D`.

    >>> from hornbeam import keras
    >>> keras.layers.Conv3D(2, 3, padding="same")(keras.Input((8, 8, 8, 1))).shape
    TensorShape([None, 8, 8, 8, 2])
    """

    rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
