"""Random numbers of a given key, as `tf.random` draws them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.arithmetic import operand
from hornbeam.core.jax_typed import randint
from hornbeam.core.op import op
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.core.wide import NARROW


def in_32_bits(draw: Callable[..., jax.Array], key: jax.Array, *parameters: jax.Array) -> jax.Array:
    """Return `draw(key, *parameters)`, computed in 32 bits: these draws of JAX can't be parts of programs in 64."""
    narrow = [each.astype(_narrow(each.dtype)) for each in parameters]
    with jax.enable_x64(False):
        return draw(key, *narrow)


def drawn_gamma(key: jax.Array, alpha: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Draw from gamma distributions."""
    draw = partial(jax.random.gamma, shape=tuple(shape), dtype=_narrow(alpha.dtype))
    return in_32_bits(draw, key, alpha).astype(alpha.dtype)


def drawn_beta(
    key: jax.Array, alpha: jax.Array, beta: jax.Array, shape: Sequence[int]
) -> jax.Array:
    """Draw from beta distributions."""
    draw = partial(jax.random.beta, shape=tuple(shape), dtype=_narrow(alpha.dtype))
    return in_32_bits(draw, key, alpha, beta).astype(alpha.dtype)


def drawn_classes(key: jax.Array, logits: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Draw classes, which lie along the last axis of `logits`, as int32."""
    return in_32_bits(partial(jax.random.categorical, axis=-1, shape=tuple(shape)), key, logits)


def _narrow(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return NARROW.get(dtype, dtype)


@op(name="tf.random.normal")
def normal_of_key(
    key: jax.Array, shape: Sequence[int], mean: TensorLike, stddev: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw from a normal distribution."""
    return (jax.random.normal(key, shape, dtype) * operand(stddev) + operand(mean)).astype(dtype)


@op(name="tf.random.truncated_normal")
def truncated_normal_of_key(
    key: jax.Array, shape: Sequence[int], mean: TensorLike, stddev: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw from a normal distribution, nothing further than two deviations from its mean."""
    drawn = jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return (drawn * operand(stddev) + operand(mean)).astype(dtype)


@op(name="tf.random.uniform")
def uniform_of_key(
    key: jax.Array, shape: Sequence[int], low: TensorLike, high: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw numbers from `low` up to but without `high`."""
    if jnp.issubdtype(dtype, jnp.integer):
        return randint(key, shape, operand(low), operand(high), dtype)
    shares = jax.random.uniform(key, shape, dtype)
    return _between(operand(low), operand(high), shares).astype(dtype)


def _between(low: Any, high: Any, shares: jax.Array) -> jax.Array:
    """Return low + shares * (high - low); the limits may be Python numbers, whose difference is one as well."""
    return low + shares * (high - low)


@op(name="tf.random.gamma")
def gamma_of_key(
    key: jax.Array,
    shape: Sequence[int],
    alpha: TensorLike,
    beta: TensorLike | None,
    dtype: DTypeLike,
) -> jax.Array:
    """Draw from gamma distributions: shape -> (*shape, *alpha.shape)."""
    alpha = jnp.asarray(alpha, dtype)
    drawn = drawn_gamma(key, alpha, (*shape, *alpha.shape))
    return drawn if beta is None else drawn / operand(beta)


@op(name="tf.random.poisson")
def poisson_of_key(
    key: jax.Array, shape: Sequence[int], lam: TensorLike, dtype: DTypeLike
) -> jax.Array:
    """Draw counts of Poisson distributions: shape -> (*shape, *lam.shape)."""
    lam = jnp.asarray(lam, "float32")
    return jax.random.poisson(key, lam, (*shape, *lam.shape)).astype(dtype)


@op(name="tf.random.categorical")
def categorical_of_key(
    key: jax.Array, logits: TensorLike, num_samples: int, dtype: DTypeLike
) -> jax.Array:
    """Draw classes with the probabilities softmax(logits): (b, classes) -> (b, num_samples)."""
    logits = jnp.asarray(logits)
    return drawn_classes(key, logits[:, None, :], (logits.shape[0], num_samples)).astype(dtype)


@op(name="tf.random.shuffle")
def shuffle_of_key(key: jax.Array, value: TensorLike) -> jax.Array:
    """Return the rows in another order."""
    return jax.random.permutation(key, jnp.asarray(value))


@op(name="tf.random.bits")
def bits_of_key(key: jax.Array, shape: Sequence[int], dtype: str) -> jax.Array:
    """Draw integers that take any value of their type."""
    kind = np.dtype(dtype)
    if kind.kind == "u":
        return jax.random.bits(key, tuple(shape), kind)
    drawn = jax.random.bits(key, tuple(shape), np.dtype(f"uint{8 * kind.itemsize}"))
    return jax.lax.bitcast_convert_type(drawn, kind)


@op(name="tf.random.make_seeds")
def seeds_of_bits(bits: TensorLike, dtype: str) -> jax.Array:
    """Return bits as the first row of stateless seeds, zeros as the second: (n,) -> (2, n)"""
    bits = jnp.asarray(bits)
    return jnp.stack([bits, jnp.zeros_like(bits)]).astype(dtype)


@op(name="tf.random.split")
def split_key(key: jax.Array, count: int) -> jax.Array:
    """Return new seeds made of one: (count, 2)"""
    return _as_integers(jax.random.split(key, count))


@op(name="tf.random.fold_in")
def folded_key(key: jax.Array, data: TensorLike) -> jax.Array:
    """Return a new seed made of a seed and an integer: (2,)"""
    # Folded twice: JAX's own fold_in(key, i) is split(key)[i].
    apart = jax.random.fold_in(key, 0x666F6C64)
    return _as_integers(jax.random.fold_in(apart, jnp.asarray(data).astype("uint32")))


def _as_integers(keys: jax.Array) -> jax.Array:
    return jax.lax.bitcast_convert_type(jax.random.key_data(keys), np.dtype("int32"))


@op(name="tf.random.binomial")
def binomial_of_key(
    key: jax.Array, shape: Sequence[int], counts: TensorLike, chances: TensorLike, dtype: str
) -> jax.Array:
    """Draw how many of `counts` tries succeed; `shape` ends with the shape of both."""
    n, p = jnp.asarray(counts, "float32"), jnp.asarray(chances, "float32")
    return jax.random.binomial(key, n, p, tuple(shape)).astype(dtype)


@op(name="tf.random.parameterized_truncated_normal")
def limited_normal_of_key(
    key: jax.Array,
    shape: Sequence[int],
    mean: TensorLike,
    stddev: TensorLike,
    low: TensorLike,
    high: TensorLike,
) -> jax.Array:
    """Draw from normal distributions, nothing outside of [low, high]."""
    mean, stddev = jnp.asarray(mean, "float32"), jnp.asarray(stddev, "float32")
    first, last = (jnp.asarray(low) - mean) / stddev, (jnp.asarray(high) - mean) / stddev
    return jax.random.truncated_normal(key, first, last, tuple(shape), "float32") * stddev + mean
