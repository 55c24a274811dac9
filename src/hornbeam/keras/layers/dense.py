"""The fully connected layer."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    BaseArguments,
    ConstraintLike,
    InitializerLike,
    RegularizerLike,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count, known_size, refuse, without_unset

__all__ = ["Dense"]


class Dense(Layer):
    """activation(x @ kernel + bias) on the last axis.

    Shapes: (b, ..., d) -> (b, ..., units); kernel (d, units), bias (units,).

    `activation` is a name, a function or None. Raises ValueError for `units` < 1, and when called on inputs whose last
    axis has another size than the kernel. `lora_rank`, `lora_alpha` and `quantization_config` are not supported.

    >>> from hornbeam import keras
    >>> layer = keras.layers.Dense(2, kernel_initializer="ones")
    >>> print(layer([[1.0, 2.0, 3.0]]).numpy())
    [[6. 6.]]
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[BaseArguments],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        refuse(
            self,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        self.units = as_count("units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        features = known_size(self, input_shape, -1)
        self.kernel = self.add_named_weight("kernel", (features, self.units))
        self.bias = self.add_named_weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any) -> Any:
        """b ... d -> b ... units"""
        return self.activation(ops.affine(inputs, self.kernel, self.bias))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return without_unset(
            super().get_config(), "activity_regularizer", "lora_rank", "lora_alpha"
        )
