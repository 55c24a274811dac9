"""The native kernels of normalisation with their gradients, on rows (n, c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import CustomVJPPrimal, SymbolicZero

from hornbeam.kernels import native
from hornbeam.kernels.normalization import reference
from hornbeam.kernels.transforms import custom_gradient, vjp

_Pair: TypeAlias = tuple[jax.Array, jax.Array]
_Triple: TypeAlias = tuple[jax.Array, jax.Array, jax.Array]


def _channels(x: jax.Array) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    vector = jax.ShapeDtypeStruct(x.shape[-1:], jnp.float32)
    return vector, vector


def _moments_native(x: jax.Array) -> _Pair:
    mean, variance = native.call("moments", _channels(x), x)
    return mean, variance


_moments_kernel = native.transformable(_moments_native, partial(reference.moments, axis=0))


@custom_gradient()
def moments(x: jax.Array) -> _Pair:
    """x: (n, c)"""
    return _moments_kernel(x)


def _moments_forward(x: jax.Array) -> tuple[_Pair, _Pair]:
    mean, variance = moments(x)
    return (mean, variance), (x, mean)


def _moments_backward(saved: _Pair, gradients: _Pair) -> tuple[jax.Array]:
    (x, mean), (d_mean, d_variance) = saved, gradients
    rows = x.shape[0]  # may be 0, by which arrays can be divided
    dx = d_mean / rows + d_variance * 2 / rows * (reference.wide(x) - mean)
    return (dx.astype(x.dtype),)


moments.defvjp(_moments_forward, _moments_backward)


class Batch(NamedTuple):
    """The static options of a batch normalisation."""

    epsilon: float
    relu: bool


class _Saved(NamedTuple):
    """What the gradient needs."""

    x: jax.Array
    mean: jax.Array
    variance: jax.Array
    gamma: jax.Array
    adds: bool  # whether an array was added
    y: jax.Array | None  # with relu


@custom_gradient(static=1)
def batch_normalization(
    batch: Batch,
    x: jax.Array,
    other: jax.Array | None,
    mean: jax.Array,
    variance: jax.Array,
    gamma: jax.Array,
    beta: jax.Array,
) -> _Pair:
    """Return the result twice; x and other: (n, c), other may be None; vectors: (c,)"""
    y = _batch_kernel(batch)(x, other, mean, variance, gamma, beta)
    return y, y


def _batch_forward(
    batch: Batch,
    x: CustomVJPPrimal,
    other: CustomVJPPrimal | None,
    mean: CustomVJPPrimal,
    variance: CustomVJPPrimal,
    gamma: CustomVJPPrimal,
    beta: CustomVJPPrimal,
) -> tuple[_Pair, _Saved]:
    added = None if other is None else other.value
    vectors = mean.value, variance.value, gamma.value
    found = batch_normalization(batch, x.value, added, *vectors, beta.value)
    y = found[0] if batch.relu else None
    return found, _Saved(x.value, *vectors, adds=other is not None, y=y)


def _batch_backward(
    batch: Batch, saved: _Saved, gradients: tuple[jax.Array | SymbolicZero, ...]
) -> tuple[native.Operand, ...]:
    x, mean, variance, gamma, adds, y = saved
    # A result that nothing follows from has no gradient: that must not be read as an array of zeros.
    given = [each for each in gradients if not isinstance(each, SymbolicZero)]
    dy, more = (*given, None, None)[:2] if given else (jnp.zeros_like(x), None)
    residual = adds and (batch.relu or more is not None)
    run = _batch_gradients(batch.epsilon, batch.relu, residual)
    dx, dz, d_gamma, d_beta = run(x, dy, mean, variance, gamma, y, more)
    d_other = (dz if residual else dy) if adds else None
    return dx, d_other, jnp.zeros_like(mean), jnp.zeros_like(variance), d_gamma, d_beta


batch_normalization.defvjp(_batch_forward, _batch_backward, symbolic_zeros=True)


@lru_cache(maxsize=64)
def _batch_kernel(batch: Batch) -> Callable[..., jax.Array]:
    def call(x: jax.Array, other: jax.Array | None, *vectors: jax.Array) -> jax.Array:
        options = {"epsilon": np.float64(batch.epsilon), "relu": batch.relu}
        result = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return native.call("batch_norm_forward", result, x, *vectors, other, **options)

    def by_definition(x: jax.Array, other: jax.Array | None, *vectors: jax.Array) -> jax.Array:
        y = reference.batch_normalization(x, *vectors, epsilon=batch.epsilon)
        y = (y if other is None else y + other).astype(x.dtype)
        return jax.nn.relu(y) if batch.relu else y

    return native.transformable(call, by_definition)


@lru_cache(maxsize=64)
def _batch_gradients(epsilon: float, relu: bool, residual: bool) -> Callable[..., native.Arrays]:
    """(dx, dz, d_gamma, d_beta) of (x, dy, mean, variance, gamma, y, more).

    dz is dy + more, which may be None; with relu, only where y is above 0. It has no rows unless `residual`.
    """

    def call(x: jax.Array, dy: jax.Array, *rest: native.Operand) -> native.Arrays:
        like = jax.ShapeDtypeStruct(x.shape, x.dtype)
        dz = jax.ShapeDtypeStruct((x.shape[0] * residual, x.shape[1]), x.dtype)
        options = {"epsilon": np.float64(epsilon), "relu": relu, "residual": residual}
        results = like, dz, *_channels(x)
        return native.call("batch_norm_backward", results, x, dy, *rest, **options)

    def by_definition(
        x: jax.Array,
        dy: jax.Array,
        _mean: jax.Array,
        _variance: jax.Array,
        gamma: jax.Array,
        y: jax.Array | None,
        more: jax.Array | None,
    ) -> native.Arrays:
        # From x alone, as in layer normalisation.
        def forward(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
            y = reference.batch_normalization(x, *reference.moments(x, 0), gamma, beta, epsilon)
            return y.astype(x.dtype)

        dz = dy if more is None else dy + more
        dz = dz if y is None else jnp.where(y > 0, dz, 0)
        dx, d_gamma, d_beta = vjp(forward, x, gamma, jnp.zeros_like(gamma))[1](dz)
        return dx, dz if residual else dz[:0], d_gamma, d_beta

    return native.transformable(call, by_definition)


@custom_gradient()
def scale_and_shift(x: jax.Array, factor: jax.Array, shift: jax.Array) -> jax.Array:
    """x: (..., c); factor and shift: (c,)"""
    return reference.scale_and_shift(x, factor, shift)


def _scale_and_shift_forward(
    x: jax.Array, factor: jax.Array, shift: jax.Array
) -> tuple[jax.Array, _Pair]:
    return scale_and_shift(x, factor, shift), (x, factor)


def _scale_and_shift_backward(saved: _Pair, dy: jax.Array) -> _Triple:
    x, factor = saved
    d_shift, d_factor = channel_products(*(a.reshape(-1, a.shape[-1]) for a in (x, dy)))
    return (dy * factor).astype(x.dtype), d_factor, d_shift


scale_and_shift.defvjp(_scale_and_shift_forward, _scale_and_shift_backward)


def _products_native(x: jax.Array, dy: jax.Array) -> _Pair:
    d_shift, d_factor = native.call("channel_products", _channels(x), x, dy)
    return d_shift, d_factor


channel_products = native.transformable(_products_native, reference.channel_products)


@custom_gradient(static=1)
def layer_normalization(
    epsilon: float, x: jax.Array, gamma: jax.Array, beta: jax.Array
) -> native.Arrays:
    """x: (n, c) -> y (n, c), mean (n,), factor (n,); only y has a gradient"""
    return _layer_kernel(epsilon)(x, gamma, beta)


def _layer_forward(
    epsilon: float, x: jax.Array, gamma: jax.Array, beta: jax.Array
) -> tuple[native.Arrays, native.Arrays]:
    y, mean, factor = layer_normalization(epsilon, x, gamma, beta)
    return (y, mean, factor), (x, gamma, mean, factor)


def _layer_backward(
    epsilon: float, saved: native.Arrays, gradients: native.Arrays
) -> native.Arrays:
    x, gamma, mean, factor = saved
    return _layer_gradients(epsilon)(x, gradients[0], gamma, mean, factor)


layer_normalization.defvjp(_layer_forward, _layer_backward)


@lru_cache(maxsize=64)
def _layer_kernel(epsilon: float) -> Callable[..., native.Arrays]:
    def call(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> native.Arrays:
        each = jax.ShapeDtypeStruct(x.shape[:1], jnp.float32)
        results = jax.ShapeDtypeStruct(x.shape, x.dtype), each, each
        option = np.float64(epsilon)
        return native.call("layer_norm_forward", results, x, gamma, beta, epsilon=option)

    return native.transformable(
        call, partial(reference.layer_normalization, epsilon=epsilon), _fold_rows
    )


@lru_cache(maxsize=64)
def _layer_gradients(epsilon: float) -> Callable[..., native.Arrays]:
    def call(
        x: jax.Array, dy: jax.Array, gamma: jax.Array, mean: jax.Array, factor: jax.Array
    ) -> native.Arrays:
        results = jax.ShapeDtypeStruct(x.shape, x.dtype), *_channels(x)
        return native.call("layer_norm_backward", results, x, dy, gamma, mean, factor)

    def by_definition(
        x: jax.Array, dy: jax.Array, gamma: jax.Array, _mean: jax.Array, _factor: jax.Array
    ) -> native.Arrays:
        # From x alone: mean and factor depend on it, which the gradient of this gradient has to see.
        def forward(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
            return reference.layer_normalization(x, gamma, beta, epsilon)[0]

        return vjp(forward, x, gamma, jnp.zeros_like(gamma))[1](dy)

    return native.transformable(call, by_definition)


def _fold_rows(
    f: Callable[..., native.Arrays],
    size: int,
    batched: Sequence[bool],
    x: jax.Array,
    gamma: jax.Array,
    beta: jax.Array,
) -> native.Arrays | None:
    """Fold many sets of rows into a larger one under vmap, if gamma and beta are the same for all."""
    if batched[1] or batched[2]:
        return None
    new = f(x.reshape(-1, x.shape[-1]), gamma, beta)
    return tuple(a.reshape(size, a.shape[0] // max(size, 1), *a.shape[1:]) for a in new)
