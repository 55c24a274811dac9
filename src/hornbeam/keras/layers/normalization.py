"""Normalisation of each example by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.variable import Variable
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import as_count, known_size
from hornbeam.ops.normalization import group_normalization

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


class ScaledAndShifted(Layer):
    """The common base of the layers with a learned scale gamma and a learned shift beta."""

    def __init__(
        self,
        *,
        center: bool,
        scale: bool,
        beta_initializer: InitializerLike,
        gamma_initializer: InitializerLike,
        beta_regularizer: RegularizerLike,
        gamma_regularizer: RegularizerLike,
        beta_constraint: ConstraintLike,
        gamma_constraint: ConstraintLike,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True

    def add_scale_and_shift(self, shape: tuple[int, ...]) -> None:
        """Make gamma and beta."""
        self.gamma = self._learned("gamma", shape) if self.scale else None
        self.beta = self._learned("beta", shape) if self.center else None

    def _learned(self, name: str, shape: tuple[int, ...]) -> Variable:
        # autocast=False: half-precision inputs are normalised in float32, with the weights as they are.
        return self.add_named_weight(name, shape, autocast=False)


class LayerNormalizationArguments(LayerArguments, total=False):
    """The arguments of any layer, and a deprecated one of Keras."""

    rms_scaling: bool


class LayerNormalization(ScaledAndShifted):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over `axis` of each example (arXiv:1607.06450).

    `axis` is one axis or several; gamma and beta have their sizes. Statistics are computed in float32 at least.

    >>> from hornbeam import keras
    >>> print(keras.layers.LayerNormalization()([[1.0, 2.0, 3.0]]).numpy())
    [[-1.2238 0. 1.2238]]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs: Unpack[LayerNormalizationArguments],
    ) -> None:
        # Deprecated in Keras, but in its configurations.
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        super().__init__(
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.axis = _as_axis(axis)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        shape = tuple(known_size(self, input_shape, axis) for axis in axes)
        self.axis = list(axes)  # what Keras writes into the configuration from now on
        self.gamma = self._learned("gamma", shape) if self.scale or self.rms_scaling else None
        self.beta = self._learned("beta", shape) if self.center and not self.rms_scaling else None

    def call(self, inputs: Any) -> Any:
        """b ... -> b ..."""
        normal = ops.layer_normalization(
            inputs, self.gamma, self.beta, self.axis, self.epsilon, rms_scaling=self.rms_scaling
        )
        return ops.cast(normal, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


class RMSNormalization(Layer):
    """scale * x / sqrt(mean(x^2) + epsilon), over `axis` of each example (arXiv:1910.07467).

    >>> from hornbeam import keras
    >>> print(keras.layers.RMSNormalization()([[3.0, 4.0]]).numpy())
    [[0.8485 1.1314]]
    """

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        shape = tuple(known_size(self, input_shape, axis) for axis in axes)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", autocast=False)

    def call(self, inputs: Any) -> Any:
        """b ... -> b ..."""
        normal = ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)
        return ops.cast(normal, self.compute_dtype)


class GroupNormalization(ScaledAndShifted):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, over space and a group of channels (arXiv:1803.08494).

    `groups` divides the channels, which lie on `axis`; -1 is one group for each channel.

    >>> from hornbeam import keras
    >>> keras.layers.GroupNormalization(4)(keras.Input((28, 28, 16))).shape
    TensorShape([None, 28, 28, 16])
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.groups = groups if groups == -1 else as_count("groups", groups)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        channels = known_size(self, input_shape, self.axis)
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"The layer {self.name!r} (GroupNormalization) has groups={self.groups}, which doesn't divide the "
                f"{channels} channels of its input of shape {tuple(input_shape)}."
            )
        self.add_scale_and_shift((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        """b ... c -> b ... c"""
        normal = group_normalization(
            inputs, self.gamma, self.beta, self.groups, self.axis, self.epsilon
        )
        return ops.cast(normal, self.compute_dtype)


class UnitNormalization(Layer):
    """x divided by its Euclidean length along `axis`, one axis or several.

    >>> from hornbeam import keras
    >>> print(keras.layers.UnitNormalization()([[3.0, 4.0]]).numpy())
    [[0.6 0.8]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.axis = _as_axis(axis)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """b ... -> b ..."""
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)


def _as_axis(axis: Any) -> int | list[int]:
    if isinstance(axis, int):
        return axis
    if (
        isinstance(axis, str)
        or not isinstance(axis, Iterable)
        or not all(isinstance(each, int) for each in axis)
    ):
        raise TypeError(f"`axis` is an integer or a list of integers; received {axis!r}.")
    return sorted(axis)
