"""Normalisation over the batch."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.dtypes import result_type
from hornbeam.keras import constraints, initializers, regularizers
from hornbeam.keras.engine.arguments import (
    ConstraintLike,
    InitializerLike,
    LayerArguments,
    RegularizerLike,
    WeightOptions,
)
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.layers.arguments import known_size, refuse
from hornbeam.ops.normalization import masked_moments

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, each channel over the batch (arXiv:1502.03167).

    In training, mean and (biased) variance are those of the batch and move the averages: moving = moving * momentum +
    batch * (1 - momentum). In inference, and where `trainable` is False, the moving averages are used. Where a mask
    comes with the inputs, only what it keeps is counted. Statistics are computed in float32 at least.

    Shapes: (b, ..., c) -> the same, with channels on `axis`; gamma, beta, moving_mean, moving_variance (c,).

    `synchronized` changes nothing: a batch spread over devices is one array to a compiled program. `renorm` is not
    supported.

    >>> from hornbeam import keras
    >>> layer = keras.layers.BatchNormalization()
    >>> print(layer([[0.0], [2.0]], training=True).numpy().ravel(), layer.moving_mean.numpy())
    [-0.9995  0.9995] [0.01]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        refuse(self, renorm=renorm, renorm_clipping=renorm_clipping)
        self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta, and the moving averages."""
        size = known_size(self, input_shape, self.axis)
        self.gamma = self.add_named_weight("gamma", (size,)) if self.scale else None
        self.beta = self.add_named_weight("beta", (size,)) if self.center else None
        kept: WeightOptions = {"trainable": False, "autocast": False}
        self.moving_mean = self.add_named_weight("moving_mean", (size,), **kept)
        self.moving_variance = self.add_named_weight("moving_variance", (size,), **kept)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """b ... c -> b ... c"""
        x = inputs
        if x.dtype != self.compute_dtype:
            x = ops.cast(inputs, result_type(self.compute_dtype, "float32"))
        own = False
        if training and self.trainable:
            mean, variance = self._batch_moments(x, mask)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
            own = mask is None
        else:
            mean, variance = self.moving_mean, self.moving_variance
        normal = ops.narrow_batch_normalization(
            x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon, own
        )
        return ops.cast(normal, self.compute_dtype)

    def _batch_moments(self, x: Any, mask: Any) -> Any:
        axes = [axis for axis in range(len(x.shape)) if axis != self.axis % len(x.shape)]
        if mask is None:
            return ops.wide_moments(x, axes)
        return masked_moments(ops.cast(x, result_type(x.dtype, "float32")), mask, axes)

    def _move(self, average: Any, value: Any) -> None:
        average.assign(
            average * self.momentum + ops.cast(value, average.dtype) * (1 - self.momentum)
        )
