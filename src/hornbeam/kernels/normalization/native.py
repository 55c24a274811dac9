"""The native kernels of normalisation with their gradients, on rows (n, c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from hornbeam.kernels import native
from hornbeam.kernels.normalization import reference


def _channels(x: jax.Array) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    vector = jax.ShapeDtypeStruct(x.shape[-1:], jnp.float32)
    return vector, vector


def _moments_native(x: jax.Array) -> Any:
    return tuple(native.call("moments", _channels(x), x))


_moments_kernel = native.transformable(_moments_native, partial(reference.moments, axis=0))


@jax.custom_vjp
def moments(x: jax.Array) -> Any:
    """x: (n, c)"""
    return _moments_kernel(x)


def _moments_forward(x: jax.Array) -> Any:
    mean, variance = moments(x)
    return (mean, variance), (x, mean)


def _moments_backward(saved: Any, gradients: Any) -> Any:
    (x, mean), (d_mean, d_variance) = saved, gradients
    rows = x.shape[0]  # may be 0, by which arrays can be divided
    dx = d_mean / rows + d_variance * 2 / rows * (reference.wide(x) - mean)
    return (dx.astype(x.dtype),)


moments.defvjp(_moments_forward, _moments_backward)


class Batch(NamedTuple):
    """The static options of a batch normalisation."""

    epsilon: float
    relu: bool


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def batch_normalization(
    batch: Batch, x: Any, other: Any, mean: Any, variance: Any, gamma: Any, beta: Any
) -> Any:
    """Return the result twice; x and other: (n, c), other may be None; vectors: (c,)"""
    y = _batch_kernel(batch)(x, other, mean, variance, gamma, beta)
    return y, y


def _batch_forward(batch: Batch, *primals: Any) -> Any:
    x, other, *vectors = (each if each is None else each.value for each in primals)
    found: Any = batch_normalization(batch, x, other, *vectors)
    return found, (x, vectors, other is not None, found[0] if batch.relu else None)


def _batch_backward(batch: Batch, saved: Any, gradients: Any) -> Any:
    x, (mean, variance, gamma, _), adds, y = saved
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
def _batch_kernel(batch: Batch) -> Callable[..., Any]:
    def call(x: jax.Array, other: Any, *vectors: jax.Array) -> jax.Array:
        options = {"epsilon": np.float64(batch.epsilon), "relu": batch.relu}
        result = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return native.call("batch_norm_forward", result, x, *vectors, other, **options)

    def by_definition(x: jax.Array, other: Any, *vectors: jax.Array) -> jax.Array:
        y = reference.batch_normalization(x, *vectors, epsilon=batch.epsilon)
        y = (y if other is None else y + other).astype(x.dtype)
        return jax.nn.relu(y) if batch.relu else y

    return native.transformable(call, by_definition)


@lru_cache(maxsize=64)
def _batch_gradients(epsilon: float, relu: bool, residual: bool) -> Callable[..., Any]:
    """(dx, dz, d_gamma, d_beta) of (x, dy, mean, variance, gamma, y, more).

    dz is dy + more, which may be None; with relu, only where y is above 0. It has no rows unless `residual`.
    """

    def call(x: jax.Array, dy: jax.Array, *rest: Any) -> Any:
        like = jax.ShapeDtypeStruct(x.shape, x.dtype)
        dz = jax.ShapeDtypeStruct((x.shape[0] * residual, x.shape[1]), x.dtype)
        options = {"epsilon": np.float64(epsilon), "relu": relu, "residual": residual}
        results = like, dz, *_channels(x)
        return tuple(native.call("batch_norm_backward", results, x, dy, *rest, **options))

    def by_definition(
        x: jax.Array, dy: jax.Array, _mean: Any, _variance: Any, gamma: Any, y: Any, more: Any
    ) -> Any:
        # From x alone, as in layer normalisation.
        def forward(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
            y = reference.batch_normalization(x, *reference.moments(x, 0), gamma, beta, epsilon)
            return y.astype(x.dtype)

        dz = dy if more is None else dy + more
        dz = jnp.where(y > 0, dz, 0) if relu else dz
        dx, d_gamma, d_beta = jax.vjp(forward, x, gamma, jnp.zeros_like(gamma))[1](dz)
        return dx, dz if residual else dz[:0], d_gamma, d_beta

    return native.transformable(call, by_definition)


@jax.custom_vjp
def scale_and_shift(x: jax.Array, factor: jax.Array, shift: jax.Array) -> jax.Array:
    """x: (..., c); factor and shift: (c,)"""
    return reference.scale_and_shift(x, factor, shift)


def _scale_and_shift_forward(x: jax.Array, factor: jax.Array, shift: jax.Array) -> Any:
    return scale_and_shift(x, factor, shift), (x, factor)


def _scale_and_shift_backward(saved: Any, dy: jax.Array) -> Any:
    x, factor = saved
    d_shift, d_factor = channel_products(*(a.reshape(-1, a.shape[-1]) for a in (x, dy)))
    return (dy * factor).astype(x.dtype), d_factor, d_shift


scale_and_shift.defvjp(_scale_and_shift_forward, _scale_and_shift_backward)


def _products_native(x: jax.Array, dy: jax.Array) -> Any:
    return tuple(native.call("channel_products", _channels(x), x, dy))


channel_products = native.transformable(_products_native, reference.channel_products)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def layer_normalization(epsilon: float, x: jax.Array, gamma: jax.Array, beta: jax.Array) -> Any:
    """x: (n, c) -> y (n, c), mean (n,), factor (n,); only y has a gradient"""
    return _layer_kernel(epsilon)(x, gamma, beta)


def _layer_forward(epsilon: float, x: jax.Array, gamma: jax.Array, beta: jax.Array) -> Any:
    found: Any = layer_normalization(epsilon, x, gamma, beta)
    y, mean, factor = found
    return (y, mean, factor), (x, gamma, mean, factor)


def _layer_backward(epsilon: float, saved: Any, gradients: Any) -> Any:
    x, gamma, mean, factor = saved
    return _layer_gradients(epsilon)(x, gradients[0], gamma, mean, factor)


layer_normalization.defvjp(_layer_forward, _layer_backward)


@lru_cache(maxsize=64)
def _layer_kernel(epsilon: float) -> Callable[..., Any]:
    def call(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> Any:
        each = jax.ShapeDtypeStruct(x.shape[:1], jnp.float32)
        results = jax.ShapeDtypeStruct(x.shape, x.dtype), each, each
        option = np.float64(epsilon)
        return tuple(native.call("layer_norm_forward", results, x, gamma, beta, epsilon=option))

    return native.transformable(
        call, partial(reference.layer_normalization, epsilon=epsilon), _fold_rows
    )


@lru_cache(maxsize=64)
def _layer_gradients(epsilon: float) -> Callable[..., Any]:
    def call(x: jax.Array, dy: jax.Array, gamma: jax.Array, mean: Any, factor: Any) -> Any:
        results = jax.ShapeDtypeStruct(x.shape, x.dtype), *_channels(x)
        return tuple(native.call("layer_norm_backward", results, x, dy, gamma, mean, factor))

    def by_definition(
        x: jax.Array, dy: jax.Array, gamma: jax.Array, _mean: Any, _factor: Any
    ) -> Any:
        # From x alone: mean and factor depend on it, which the gradient of this gradient has to see.
        def forward(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> jax.Array:
            return reference.layer_normalization(x, gamma, beta, epsilon)[0]

        return jax.vjp(forward, x, gamma, jnp.zeros_like(gamma))[1](dy)

    return native.transformable(call, by_definition)


def _fold_rows(f: Any, size: int, batched: Sequence[bool], *args: Any) -> Any:
    """Fold many sets of rows into a larger one under vmap, if gamma and beta are the same for all."""
    x, gamma, beta = args
    if batched[1] or batched[2]:
        return None
    new = f(x.reshape(-1, x.shape[-1]), gamma, beta)
    return tuple(a.reshape(size, a.shape[0] // max(size, 1), *a.shape[1:]) for a in new)
