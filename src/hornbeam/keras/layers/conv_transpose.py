"""Convolutions run backwards: from fewer places to more."""

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
from hornbeam.keras.layers.arguments import as_count, as_counts
from hornbeam.keras.layers.conv_base import BaseConv

__all__ = [
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "Convolution1DTranspose",
    "Convolution2DTranspose",
    "Convolution3DTranspose",
]


class ConvTranspose(BaseConv):
    """The common base of the transposed convolutions; kernel (k..., filters, c), bias (filters,)."""

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        output_padding: Sizes | None = None,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
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
        self.set_window(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
        )
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = as_counts("output_padding", output_padding, self.rank, minimum=0)
            if any(
                extra >= step for extra, step in zip(self.output_padding, self.strides, strict=True)
            ):
                raise ValueError(
                    f"`output_padding` is smaller than `strides` on every axis; received output_padding="
                    f"{output_padding} and strides={self.strides}."
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
        self.kernel = self.add_named_weight("kernel", (*self.kernel_size, self.filters, channels))
        self.add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """b s... c -> b s'... filters"""
        window = (
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
        )
        return self.finish(ops.conv_transpose(inputs, self.kernel, *window))


class Conv1DTranspose(ConvTranspose):
    """A convolution over time run backwards: (b, t, c) -> (b, t', filters).

    t' is t * strides with padding="same", t * strides + max(k - strides, 0) with "valid"; `output_padding` chooses
    among the lengths that a convolution would shrink to t.

    >>> from hornbeam import keras
    >>> keras.layers.Conv1DTranspose(8, 4, strides=2, padding="same")(keras.Input((10, 4))).shape
    TensorShape([None, 20, 8])
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """A convolution run backwards, to enlarge images: (b, h, w, c) -> (b, h', w', filters).

    h' is h * stride with padding="same", h * stride + max(k - stride, 0) with "valid"; `output_padding` chooses among
    the sizes that a convolution would shrink to h.

    >>> from hornbeam import keras
    >>> keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same")(keras.Input((7, 7, 4))).shape
    TensorShape([None, 14, 14, 8])
    """

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """A convolution run backwards, to enlarge volumes: (b, d, h, w, c) -> (b, d', h', w', filters).

    >>> from hornbeam import keras
    >>> keras.layers.Conv3DTranspose(2, 2, strides=2)(keras.Input((4, 4, 4, 1))).shape
    TensorShape([None, 8, 8, 8, 2])
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Sizes | None = None,
        dilation_rate: Sizes = 1,
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
        # In Keras `data_format` comes before `output_padding` here, and here alone.
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            output_padding=output_padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
