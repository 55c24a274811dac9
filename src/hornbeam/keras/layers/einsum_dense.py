"""The dense layer between axes that an equation names."""

from __future__ import annotations

import copy
from typing import Any, Unpack

from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ActivationLike,
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import refuse, without_unset
from hornbeam.keras.registry import serialize_keras_object
from hornbeam.ops.einsum_affine import Equation, einsum_affine, parse

__all__ = ["EinsumDense"]


class EinsumDense(Layer):
    """activation(einsum(equation, x, kernel) + bias)

    Shapes: those that `equation` says, such as "abc,cd->abd", (b, t, d) -> (b, t, units). Its first part is the input,
    its second one the kernel. "..." at the same end of input and output stands for any number of axes.

    `output_shape` has the sizes of the output's axes without the batch axis, and without those that "..." stands for;
    None is the size of the input. `bias_axes` are the letters of the axes along which the bias varies; without them
    there is none. Random initializers take the axes that are summed over as inputs, the others as outputs.

    Raises ValueError for an equation of another form, letters that fit nowhere, and sizes that contradict the input's.
    `lora_rank`, `lora_alpha`, `gptq_unpacked_column_size` and `quantization_config` are not supported.

    >>> from hornbeam import keras
    >>> layer = keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 8), bias_axes="de")
    >>> layer(keras.ops.ones((3, 5, 4))).shape
    TensorShape([3, 5, 2, 8])
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: ActivationLike = None,
        bias_axes: str | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        refuse(
            self,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            gptq_unpacked_column_size=gptq_unpacked_column_size,
            quantization_config=quantization_config,
        )
        parts = parse(equation)
        strange = [axis for axis in bias_axes or "" if axis not in parts.output]
        if strange:
            raise ValueError(
                f"`bias_axes` are letters of the output {parts.output!r} of the equation {equation!r}; received "
                f"{bias_axes!r}."
            )
        self.equation = equation
        self.output_shape = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        )
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        rank = len(parts.input)
        self.input_spec = InputSpec(min_ndim=rank) if parts.elided else InputSpec(ndim=rank)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        parts = parse(self.equation)
        sizes = self._sizes(parts, tuple(input_shape))
        self.kernel = self.add_named_weight(
            "kernel",
            [self._known(sizes, axis, input_shape) for axis in parts.kernel],
            initializer=_with_fans(self.kernel_initializer, parts),
        )
        self.bias = None
        if self.bias_axes:
            first = min(parts.output.index(axis) for axis in self.bias_axes)
            shape = [
                self._known(sizes, axis, input_shape) if axis in self.bias_axes else 1
                for axis in parts.output[first:]
            ]
            after = len(input_shape) - len(parts.input) if parts.elided == "right" else 0
            self.bias = self.add_named_weight("bias", shape + [1] * after)
        self.input_spec = self._spec(parts)

    def _spec(self, parts: Equation) -> InputSpec:
        """Return a spec for inputs whose axes are as long as the kernel's axes of the same letter."""
        rank = len(parts.input)
        first = -rank if parts.elided == "left" else 0
        known = dict(zip(parts.kernel, self.kernel.shape, strict=True))
        axes = {first + i: known[axis] for i, axis in enumerate(parts.input) if axis in known}
        return (
            InputSpec(min_ndim=rank, axes=axes) if parts.elided else InputSpec(ndim=rank, axes=axes)
        )

    def _sizes(self, parts: Equation, shape: tuple[int | None, ...]) -> dict[str, int | None]:
        """Return the size of each axis, from the input and `output_shape`."""
        n = len(parts.input)
        sizes = dict(
            zip(parts.input, shape[-n:] if parts.elided == "left" else shape, strict=False)
        )
        if parts.elided == "left":
            wanted = zip(reversed(parts.output), reversed(self.output_shape), strict=False)
        else:
            wanted = zip(parts.output[1:], self.output_shape, strict=False)
        for axis, size in wanted:
            known = sizes.get(axis)
            if None not in (known, size) and known != size:
                raise ValueError(
                    f"The layer {self.name!r} (EinsumDense, {self.equation!r}) has the axis {axis!r} in its input and its "
                    f"output, of size {known} in the input of shape {shape} and {size} in "
                    f"output_shape={self.output_shape}. Give None there."
                )
            sizes[axis] = size if known is None else known
        return sizes

    def _known(self, sizes: dict[str, int | None], axis: str, shape: Any) -> int:
        size = sizes.get(axis)
        if size is None:
            raise ValueError(
                f"The layer {self.name!r} (EinsumDense, {self.equation!r}) needs to know the size of axis {axis!r} for "
                f"its weights; neither the input of shape {tuple(shape)} nor output_shape={self.output_shape} says it."
            )
        return size

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """What the equation says"""
        return self.activation(einsum_affine(inputs, self.kernel, self.bias, self.equation))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        regularizer = serialize_keras_object(self.activity_regularizer)  # even where it is None
        config = {**super().get_config(), "activity_regularizer": regularizer}
        return without_unset(config, "lora_rank", "lora_alpha", "gptq_unpacked_column_size")


def _with_fans(initializer: Any, parts: Equation) -> Any:
    """Return `initializer`, told which axes of the kernel are inputs and which are outputs."""
    random = isinstance(initializer, initializers.VarianceScaling)
    if not random or initializer.input_axes is not None or initializer.output_axes is not None:
        return initializer
    told = copy.copy(initializer)
    told.input_axes = tuple(i for i, axis in enumerate(parts.kernel) if axis not in parts.output)
    told.output_axes = tuple(i for i, axis in enumerate(parts.kernel) if axis in parts.output)
    return told
