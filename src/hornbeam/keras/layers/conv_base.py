"""What all convolutions share: windows, layout, bias and activation."""

from __future__ import annotations

from typing import Any

from hornbeam.core.config import standardize_data_format
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
    Sizes,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_choice, as_counts, known_size
from hornbeam.keras.registry import serialize_keras_object
from hornbeam.ops.dense import bias_add


class BaseConv(Layer):
    """A layer that slides filters over `rank` spatial axes.

    Numbers for spatial axes (`kernel_size`, `strides`, `dilation_rate`) are one integer for all, or one per axis.
    `data_format` is "channels_last", (b, s..., c), or "channels_first", (b, c, s...); None is the format of
    `keras.config.image_data_format()`.
    """

    rank: int
    paddings: tuple[str, ...] = ("valid", "same")
    may_stride_and_dilate = False

    def set_window(
        self,
        *,
        kernel_size: Sizes,
        strides: Sizes,
        padding: str,
        data_format: str | None,
        dilation_rate: Sizes,
    ) -> None:
        """Check and store how the window moves."""
        self.kernel_size = as_counts("kernel_size", kernel_size, self.rank)
        self.strides = as_counts("strides", strides, self.rank)
        self.padding = as_choice(f"padding of {type(self).__name__}", padding, self.paddings)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = as_counts("dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1 and not self.may_stride_and_dilate:
            raise ValueError(
                f"{type(self).__name__} can't have strides > 1 together with dilation_rate > 1; received "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def set_output(
        self,
        *,
        activation: ActivationLike,
        use_bias: bool,
        bias_initializer: InitializerLike,
        bias_regularizer: RegularizerLike,
        bias_constraint: ConstraintLike,
    ) -> None:
        """Store what follows the convolution."""
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)

    def input_channels(self, input_shape: Any) -> int:
        """Return the number of input channels, and demand it of all further inputs."""
        axis = -1 if self.data_format == "channels_last" else 1
        channels = known_size(self, input_shape, axis)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def add_bias(self, channels: int) -> None:
        """Make the bias, one number for each output channel."""
        self.bias = self.add_named_weight("bias", (channels,)) if self.use_bias else None

    def finish(self, outputs: Any) -> Any:
        """activation(outputs + bias)"""
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias, self.data_format)
        return self.activation(outputs)

    def check_space(self, shape: Any) -> None:
        """Raise ValueError where not even one window fits into an input of that shape."""
        if self.padding != "valid":
            return
        space = shape[1:-1] if self.data_format == "channels_last" else shape[2:]
        reach = [
            (k - 1) * rate + 1 for k, rate in zip(self.kernel_size, self.dilation_rate, strict=True)
        ]
        if any(size < window for size, window in zip(space, reach, strict=True)):
            raise ValueError(
                f"The layer {self.name!r} ({type(self).__name__}) has a window of {tuple(reach)} (kernel_size and "
                f"dilation_rate), larger than the space {tuple(space)} of its input of shape {tuple(shape)}. Use a "
                'smaller kernel, padding="same", or larger inputs.'
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        regularizer = serialize_keras_object(self.activity_regularizer)
        return {
            **super().get_config(),
            "activity_regularizer": regularizer,
        }  # in Keras even where it is None
