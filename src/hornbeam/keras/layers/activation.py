"""Activations as layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.keras import activations, constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import known_size
from hornbeam.ops.activations import masked_softmax, parametric_relu

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class Activation(Layer):
    """An activation function as a layer of its own; `activation` is a name, a function or a layer.

    >>> from hornbeam import keras
    >>> print(keras.layers.Activation("relu")([-1.0, 2.0]).numpy())
    [0. 2.]
    """

    def __init__(self, activation: Any, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """activation(inputs)"""
        return self.activation(inputs)


class ReLU(Layer):
    """max(x, 0); in general x above `threshold`, at most `max_value`, and negative_slope * (x - threshold) below.

    >>> from hornbeam import keras
    >>> print(keras.layers.ReLU(max_value=6.0)([-1.0, 2.0, 9.0]).numpy())
    [0. 2. 6.]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative("max_value", max_value)
        self.negative_slope = _not_negative("negative_slope", negative_slope)
        self.threshold = _not_negative("threshold", threshold)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """relu(inputs)"""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLUArguments(LayerArguments, total=False):
    """The arguments of any layer, and the former name of `negative_slope`."""

    alpha: float


class LeakyReLU(Layer):
    """x where x >= 0, else negative_slope * x (Maas et al. 2013).

    `alpha` is the former name of `negative_slope`.

    >>> from hornbeam import keras
    >>> print(keras.layers.LeakyReLU(0.5)([-4.0, 2.0]).numpy())
    [-2.  2.]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Unpack[LeakyReLUArguments]) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative("negative_slope", negative_slope)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """leaky_relu(inputs)"""
        return ops.leaky_relu(inputs, self.negative_slope)


class PReLU(Layer):
    """x where x >= 0, else alpha * x, with a learned alpha for each place (He et al. 2015, arXiv:1502.01852).

    `shared_axes` lists axes along which there is one alpha, e.g. [1, 2] for one alpha per channel of an image.

    >>> from hornbeam import keras
    >>> layer = keras.layers.PReLU(shared_axes=[1, 2])
    >>> layer.build((None, 28, 28, 8))
    >>> layer.alpha.shape
    TensorShape([1, 1, 8])
    """

    def __init__(
        self,
        alpha_initializer: InitializerLike = "Zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: Any = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = shared_axes
        if shared_axes is not None:
            self.shared_axes = (
                list(shared_axes) if isinstance(shared_axes, Iterable) else [shared_axes]
            )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make alpha."""
        shared = set(self.shared_axes or ())
        axes = range(1, len(input_shape))
        shape = [1 if axis in shared else known_size(self, input_shape, axis) for axis in axes]
        self.alpha = self.add_named_weight("alpha", shape)
        sizes = {axis: input_shape[axis] for axis in axes if axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        """relu(inputs) - alpha * relu(-inputs)"""
        return parametric_relu(inputs, self.alpha)


class ELU(Layer):
    """x where x > 0, else alpha * (e^x - 1) (Clevert et al. 2016, arXiv:1511.07289).

    >>> from hornbeam import keras
    >>> print(keras.layers.ELU()([-1.0, 2.0]).numpy())
    [-0.632  2.   ]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """elu(inputs)"""
        return ops.elu(inputs, self.alpha)


class Softmax(Layer):
    """e^x / sum(e^x) along `axis`, or over several axes.

    The result is 0 where `mask`, which broadcasts against the inputs, is false.

    >>> from hornbeam import keras
    >>> print(keras.layers.Softmax()([[0.0, 0.0, 0.0]], mask=[[True, True, False]]).numpy())
    [[0.5 0.5 0. ]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """softmax(inputs)"""
        return (
            ops.softmax(inputs, self.axis)
            if mask is None
            else masked_softmax(inputs, mask, self.axis)
        )


def _not_negative(name: str, value: float) -> float:
    if value is None or value < 0:
        raise ValueError(f"`{name}` is a number >= 0; received {value!r}.")
    return value
