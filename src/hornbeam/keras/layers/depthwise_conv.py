"""Convolutions of each channel by itself, and with a mixing of the channels after it."""

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

__all__ = [
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]


class DepthwiseConv(BaseConv):
    """The common base of DepthwiseConv1D and DepthwiseConv2D; kernel (k..., c, depth_multiplier)."""

    may_stride_and_dilate = True

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[BaseArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = as_count("depth_multiplier", depth_multiplier)
        self.set_window(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
        )
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
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
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_named_weight("kernel", shape, arguments="depthwise")
        self.add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... c*m"""
        self.check_space(inputs.shape)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return self.finish(ops.depthwise_conv(inputs, self.kernel, *window))


class DepthwiseConv1D(DepthwiseConv):
    """Each channel convolved over time with `depth_multiplier` filters m of its own: (b, t, c) -> (b, t', c * m).

    >>> from hornbeam import keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(keras.Input((10, 4))).shape
    TensorShape([None, 8, 8])
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Each channel convolved with `depth_multiplier` filters m of its own: (b, h, w, c) -> (b, h', w', c * m).

    >>> from hornbeam import keras
    >>> keras.layers.DepthwiseConv2D(3, padding="same")(keras.Input((28, 28, 8))).shape
    TensorShape([None, 28, 28, 8])
    """

    rank = 2


class SeparableConv(BaseConv):
    """The common base of SeparableConv1D and SeparableConv2D."""

    may_stride_and_dilate = True

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        pointwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[BaseArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = as_count("filters", filters)
        self.depth_multiplier = as_count("depth_multiplier", depth_multiplier)
        self.set_window(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
        )
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.set_output(
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels = self.input_channels(input_shape)
        deep = (*self.kernel_size, channels, self.depth_multiplier)
        wide = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self.add_named_weight(
            "depthwise_kernel", deep, arguments="depthwise"
        )
        self.pointwise_kernel = self.add_named_weight(
            "pointwise_kernel", wide, arguments="pointwise"
        )
        self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... filters"""
        self.check_space(inputs.shape)
        window = (self.strides, self.padding, self.data_format, self.dilation_rate)
        return self.finish(
            ops.separable_conv(inputs, self.depthwise_kernel, self.pointwise_kernel, *window)
        )


class SeparableConv1D(SeparableConv):
    """A depthwise convolution over time, then a mixing of the channels: (b, t, c) -> (b, t', filters).

    >>> from hornbeam import keras
    >>> keras.layers.SeparableConv1D(16, 3)(keras.Input((10, 4))).shape
    TensorShape([None, 8, 16])
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """A depthwise convolution, then a 1 x 1 convolution that mixes the channels (Chollet 2017, arXiv:1610.02357).

    (b, h, w, c) -> (b, h', w', filters); depthwise_kernel (kh, kw, c, m), pointwise_kernel (1, 1, c * m, filters).

    >>> from hornbeam import keras
    >>> keras.layers.SeparableConv2D(16, 3)(keras.Input((28, 28, 8))).shape
    TensorShape([None, 26, 26, 16])
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
