"""Statistics of a batch or an example, and normalization by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import operand
from hornbeam.core.config import epsilon as default_epsilon
from hornbeam.core.jax_typed import finfo
from hornbeam.core.jax_typed import norm as norm_of
from hornbeam.core.op import op
from hornbeam.core.shapes import as_axis, axis_from_front
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.kernels import normalization
from hornbeam.kernels.normalization import reference as normalization_reference
from hornbeam.ops.common import array, inexact

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "moments",
    "normalize",
    "rms_normalization",
]


@op
def moments(
    x: TensorLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[jax.Array, jax.Array]:
    """Return the mean and the variance over `axes`; half-precision input is summed in float32.

    `synchronized` needs nothing here: a batch spread over devices is one array to a compiled program.

    >>> from hornbeam.keras import ops
    >>> mean, variance = ops.moments([1.0, 3.0], axes=0)
    >>> print(float(mean), float(variance))
    2.0 1.0
    """
    x = inexact(x)
    axis = as_axis(axes)
    axis = tuple(range(x.ndim)) if axis is None else axis
    mean, variance = normalization.moments(x, axis)
    if keepdims:
        mean, variance = (jnp.expand_dims(m, axis) for m in (mean, variance))
    if mean.dtype != x.dtype:
        largest = float(finfo(x.dtype).max)
        mean, variance = (jnp.clip(m, -largest, largest) for m in (mean, variance))
    return mean.astype(x.dtype), variance.astype(x.dtype)


@op
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> jax.Array:
    """Return (x - mean) / sqrt(variance + epsilon) * scale + offset (Ioffe and Szegedy 2015, arXiv:1502.03167)

    mean, variance, offset and scale are vectors along `axis` of x.
    """
    x = inexact(x)
    factor, shift = _factor_and_shift(mean, variance, offset, scale, epsilon)
    return _channels_scaled(x.astype(jnp.result_type(x, factor, shift)), axis, factor, shift)


@op(name="tf.nn.batch_normalization")
def broadcast_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike,
    scale: TensorLike,
    epsilon: float,
) -> jax.Array:
    """Return (x - mean) / sqrt(variance + epsilon) * scale + offset, where all broadcast against x."""
    x = inexact(x)
    factor, shift = _factor_and_shift(mean, variance, offset, scale, epsilon)
    x = x.astype(jnp.result_type(x, factor, shift))
    if factor.shape == shift.shape == x.shape[-1:]:
        return normalization.scale_and_shift(x, factor, shift)
    return normalization_reference.scale_and_shift(x, factor, shift)


@op
def wide_moments(x: TensorLike, axes: int | Sequence[int]) -> tuple[jax.Array, jax.Array]:
    """Return `moments` in float32 at least, which half-precision numbers are normalised with."""
    return normalization.moments(inexact(x), tuple(axes) if not isinstance(axes, int) else axes)


@op
def narrow_batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
    own: bool = False,
) -> jax.Array:
    """Return `batch_normalization` by statistics in float32 at least, rounded to the type of x.

    `own` says that mean and variance are the `wide_moments` of x over all other axes: then one kernel takes in what of
    the gradient of x goes through them.
    """
    x = inexact(x)
    if own and axis_from_front(axis, x.ndim) == x.ndim - 1:
        gamma, beta = (each if each is None else array(each) for each in (scale, offset))
        return normalization.batch_normalization(
            x, array(mean), array(variance), gamma, beta, epsilon
        )
    return _channels_scaled(x, axis, *_factor_and_shift(mean, variance, offset, scale, epsilon))


def _factor_and_shift(
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike | None,
    scale: TensorLike | None,
    epsilon: float,
) -> tuple[jax.Array, jax.Array]:
    """Return what x is multiplied by, and what is added, to be normalised."""
    factor = jax.lax.rsqrt(inexact(variance) + epsilon)
    if scale is not None:
        factor = factor * array(scale)
    shift = -inexact(mean) * factor
    return factor, shift if offset is None else shift + array(offset)


def _channels_scaled(x: jax.Array, axis: int, factor: jax.Array, shift: jax.Array) -> jax.Array:
    """Return x * factor + shift, in the type of x, for vectors along an axis."""
    if axis_from_front(axis, x.ndim) == x.ndim - 1:
        return normalization.scale_and_shift(x, factor, shift)
    vectors = (_along("mean, variance", each, axis, x.shape) for each in (factor, shift))
    return normalization_reference.scale_and_shift(x, *vectors)


@op
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> jax.Array:
    """Return (x - mean) / sqrt(variance + epsilon) * gamma + beta, of each example (Ba et al. 2016, arXiv:1607.06450)

    Mean and variance run over `axis`, computed in float32; gamma and beta have the sizes of those
    axes. `epsilon` None is `keras.default_epsilon()`.

    >>> from hornbeam.keras import ops
    >>> print(ops.layer_normalization([[1.0, 2.0, 3.0]]).numpy())
    [[-1.2247 0. 1.2247]]
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"`layer_normalization` received unknown arguments: {', '.join(kwargs)}.")
    x = inexact(x)
    wide = _at_least_float32(x)
    axes = as_axis(axis)
    if _is_last(axes, x.ndim) and not rms_scaling:
        ones, zeros = (jnp.full(x.shape[-1:], n, wide.dtype) for n in (1, 0))
        scale, shift = (
            default
            if each is None
            else jnp.broadcast_to(
                _along(name, each, -1, x.shape[-1:]).astype(wide.dtype), ones.shape
            )
            for name, each, default in (("gamma", gamma, ones), ("beta", beta, zeros))
        )
        return normalization.layer_normalization(
            x, scale, shift, default_epsilon() if epsilon is None else epsilon
        )
    mean = jnp.mean(wide, axis=axes, keepdims=True)
    centred = wide - mean
    variance = jnp.mean(jnp.square(centred), axis=axes, keepdims=True)
    factor = jax.lax.rsqrt(variance + (default_epsilon() if epsilon is None else epsilon))
    if gamma is not None:
        factor = factor * _along("gamma", gamma, axes, x.shape).astype(wide.dtype)
    if rms_scaling:  # deprecated in Keras, and not quite RMS: no mean in x, but in the variance
        return (wide * factor).astype(x.dtype)
    normal = centred * factor
    if beta is not None:
        normal = normal + _along("beta", beta, axes, x.shape).astype(wide.dtype)
    return normal.astype(x.dtype)


@op
def rms_normalization(
    x: TensorLike,
    scale: TensorLike | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> jax.Array:
    """Return x / sqrt(mean(x^2) + epsilon) * scale, of each example (Zhang and Sennrich 2019, arXiv:1910.07467)

    >>> from hornbeam.keras import ops
    >>> print(ops.rms_normalization([[3.0, 4.0]]).numpy().round(4))
    [[0.8485 1.1314]]
    """
    x = inexact(x)
    wide = _at_least_float32(x)
    axes = as_axis(axis)
    power = jnp.mean(jnp.square(wide), axis=axes, keepdims=True)
    normal = wide * jax.lax.rsqrt(power + (default_epsilon() if epsilon is None else epsilon))
    if scale is not None:
        normal = normal * _along("scale", scale, axes, x.shape).astype(wide.dtype)
    return normal.astype(x.dtype)


@op
def normalize(
    x: TensorLike, axis: Axis = -1, order: float = 2, epsilon: float | None = None
) -> jax.Array:
    """Return x divided by its norm along an axis, or by epsilon where the norm is smaller.

    >>> from hornbeam.keras import ops
    >>> print(ops.normalize([[3.0, 4.0]]).numpy())
    [[0.6 0.8]]
    """
    if not _is_number(order) or order < 1:
        raise ValueError(f"`order` is a number >= 1; received {order!r}.")
    x = inexact(x)
    least = default_epsilon() if epsilon is None else epsilon
    if order == 2:  # as rsqrt of the sum: the norm itself has no gradient at 0
        squares = jnp.sum(jnp.square(x), axis=as_axis(axis), keepdims=True)
        return x * jax.lax.rsqrt(jnp.maximum(squares, least**2))
    norm = norm_of(x, ord=order, axis=as_axis(axis), keepdims=True)
    return x / jnp.maximum(norm, least)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _is_last(axes: int | tuple[int, ...] | None, ndim: int) -> bool:
    return axes is not None and ndim > 0 and axes in (-1, ndim - 1, (-1,), (ndim - 1,))


def _at_least_float32(x: jax.Array) -> jax.Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _along(
    name: str, values: TensorLike, axes: int | tuple[int, ...] | None, whole: tuple[int, ...]
) -> jax.Array:
    """Return `values`, with the sizes of `axes` or 1, in the shape that broadcasts against all axes of an array."""
    values = array(values)
    if axes is None or values.ndim == 0:
        return values
    each = (axes,) if isinstance(axes, int) else axes
    places = [axis_from_front(axis, len(whole)) for axis in each]
    sizes = tuple(whole[place] for place in places)
    pairs = zip(values.shape, sizes, strict=False)
    if values.ndim != len(sizes) or any(size not in (1, wanted) for size, wanted in pairs):
        raise ValueError(
            f"`{name}`: expected the shape {sizes}, the sizes of axis {axes} of the inputs; received {values.shape}."
        )
    shape = [1] * len(whole)
    for place, size in zip(places, values.shape, strict=True):
        shape[place] = size
    return values.reshape(shape)


@op(name="utils.normalize")
def unit_vectors(x: TensorLike, axis: int | None, order: float) -> jax.Array:
    """Return x divided by its norm along an axis; zeros stay zeros."""
    x = jnp.atleast_1d(operand(x))
    x = x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.float32)
    zero = norm_of(jax.lax.stop_gradient(x), order, axis, keepdims=True) == 0
    # ones in the place of zeros: the norm has no derivative at zero
    return x / norm_of(jnp.where(zero, 1, x), order, axis, keepdims=True)


@op
def masked_moments(x: TensorLike, mask: TensorLike, axes: list[int]) -> tuple[jax.Array, jax.Array]:
    """Return the mean and the variance over `axes` of what the mask, (b,) or (b, t) ..., keeps of x, (b, t, ...)"""
    x = array(x)
    kept = jnp.asarray(mask, x.dtype)
    kept = jnp.broadcast_to(kept.reshape(*kept.shape, *[1] * (x.ndim - kept.ndim)), x.shape)
    count = jnp.sum(kept, axis=tuple(axes), keepdims=True) + default_epsilon()
    mean = jnp.sum(x * kept, axis=tuple(axes), keepdims=True) / count
    variance = jnp.sum(jnp.square(x - mean) * kept, axis=tuple(axes), keepdims=True) / count
    return jnp.squeeze(mean, tuple(axes)), jnp.squeeze(variance, tuple(axes))


@op
def group_normalization(
    x: TensorLike,
    gamma: TensorLike | None,
    beta: TensorLike | None,
    groups: int,
    axis: int,
    epsilon: float,
) -> jax.Array:
    """Return (x - mean) / sqrt(variance + epsilon) * gamma + beta, statistics over space and each group of channels"""
    x = jnp.moveaxis(jnp.asarray(x, jnp.promote_types(jnp.asarray(x).dtype, jnp.float32)), axis, -1)
    grouped = x.reshape(*x.shape[:-1], groups, -1)
    axes = (*range(1, grouped.ndim - 2), grouped.ndim - 1)
    mean = jnp.mean(grouped, axis=axes, keepdims=True)
    variance = jnp.var(grouped, axis=axes, keepdims=True)
    normal = ((grouped - mean) * jax.lax.rsqrt(variance + epsilon)).reshape(x.shape)
    normal = normal if gamma is None else normal * array(gamma)
    normal = normal if beta is None else normal + array(beta)
    return jnp.moveaxis(normal, -1, axis)
