"""The computations of multi-head attention, and where it may go.

Letters: b batch (all axes that are no attention axes), t and s places of queries and of values, n heads, m heads of
keys, d features. What has several attention axes is folded to (b, t, n, d) first.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from hornbeam.core.op import op
from hornbeam.core.typing import TensorLike
from hornbeam.kernels import matmul
from hornbeam.ops.activations import masked_softmax
from hornbeam.ops.common import array

Axes = tuple[int, ...]


@op(name="fold_axes")
def fold(x: TensorLike, axes: Axes) -> jax.Array:
    """Reshape (b, ..., n, d) to (b, t, n, d), with the `axes` as t and all others before the heads as b."""
    x, k = array(x), len(axes)
    x = jnp.moveaxis(x, axes, range(x.ndim - 2 - k, x.ndim - 2))
    return x.reshape(math.prod(x.shape[: x.ndim - 2 - k]), -1, *x.shape[-2:])


@op(name="unfold_axes")
def unfold(x: TensorLike, query: TensorLike, axes: Axes) -> jax.Array:
    """Reshape (b, t, n, d) to (b, ..., n, d), the axes as those of `query` before it was folded."""
    x, query, k = array(x), array(query), len(axes)
    before = query.ndim - 2
    others, places = _sizes(query, axes)
    x = x.reshape(*others, *places, *x.shape[-2:])
    return jnp.moveaxis(x, range(before - k, before), axes)


@op(name="unfold_attention_weights")
def unfold_weights(
    weights: TensorLike, query: TensorLike, key: TensorLike, axes: Axes
) -> jax.Array:
    """Reshape (b, n, t, s) to the axes that b stands for, n, the axes of t, the axes of s."""
    weights = array(weights)
    (others, t), (_, s) = _sizes(array(query), axes), _sizes(array(key), axes)
    return weights.reshape(*others, weights.shape[1], *t, *s)


@op
def attention_weights(
    query: TensorLike, key: TensorLike, allowed: TensorLike | None, scale: float
) -> jax.Array:
    """Return softmax(query key^T * scale) where `allowed`, 0 elsewhere, computed in float32 at least

    query: (b, t, n, d), key: (b, s, m, d), allowed: broadcasts to (b, n, t, s), or None -> (b, n, t, s)
    """
    query = array(query)
    key = _for_each_head(array(key), query.shape[2])
    wide = jnp.promote_types(query.dtype, jnp.float32)
    logits = matmul.einsum("btnd,bsnd->bnts", query, key, wide) * scale
    if allowed is None:
        weights = jax.nn.softmax(logits, axis=-1)
    else:
        weights = masked_softmax.raw(logits, allowed, -1)
    return weights.astype(query.dtype)


@op(name="attention_output")
def weighted_sum(weights: TensorLike, value: TensorLike) -> jax.Array:
    """Return the sum of values by weights: (b, n, t, s), (b, s, m, d) -> (b, t, n, d)"""
    weights = array(weights)
    value = _for_each_head(array(value), weights.shape[1])
    return matmul.einsum("bnts,bsnd->btnd", weights, value)


@op
def allowed_pairs(
    query: TensorLike,
    key: TensorLike,
    axes: Axes,
    masks: tuple[TensorLike | None, TensorLike | None, TensorLike | None, TensorLike | None],
    is_causal: bool,
    window: int | None,
) -> jax.Array | None:
    """Return where attention may go, of 4 axes that broadcast to (b, n, t, s); None where there are no limits.

    query, key: (b, ..., n, d), not folded. `masks` are those of the query, the value, the key, and of pairs: (b, t, s),
    or without b, or with n before t. `window` w allows the places i, j with |i - j| < w.
    """
    k = len(axes)
    (others, t), (_, s) = _sizes(array(query), axes), _sizes(array(key), axes)
    rank = len(others) + 1 + 2 * k
    of_query, of_value, of_key, of_pairs = masks
    limits: list[jax.Array] = []
    if of_query is not None:
        placed = _placed(of_query, len(others), axes)
        limits.append(placed.reshape(*placed.shape, *[1] * k))
    for mask in (of_value, of_key):
        if mask is not None:
            placed = _placed(mask, len(others), axes)
            limits.append(placed.reshape(*placed.shape[:-k], *[1] * k, *placed.shape[-k:]))
    if of_pairs is not None:
        pairs = jnp.asarray(of_pairs).astype(bool)
        if not 2 * k <= pairs.ndim <= rank:
            raise ValueError(
                f"`attention_mask` has the shape (batch, {', '.join(map(str, t + s))}) here, with or without the batch "
                f"axis, or with the heads before {t[0]}; received {pairs.shape}."
            )
        for _ in range(rank - pairs.ndim):
            pairs = jnp.expand_dims(pairs, -2 * k - 1)
        limits.append(pairs)
    if is_causal or window is not None:
        distance = jnp.arange(t[0])[:, None] - jnp.arange(s[0])
        if is_causal:
            limits.append(distance >= 0)
        if window is not None:
            limits.append(jnp.abs(distance) < window)
    if not limits:
        return None
    allowed = limits[0]
    for each in limits[1:]:
        allowed = allowed & each
    if rank == 4:
        return allowed.reshape(*[1] * (4 - allowed.ndim), *allowed.shape)
    heads = allowed.shape[-2 * k - 1] if allowed.ndim == rank else 1
    allowed = jnp.broadcast_to(allowed, (*others, heads, *t, *s))
    return allowed.reshape(math.prod(others), heads, math.prod(t), math.prod(s))


def _sizes(x: jax.Array, axes: Axes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return, of x (b, ..., n, d), the sizes of all axes but the `axes`, heads and features, and those of the `axes`."""
    others = tuple(size for i, size in enumerate(x.shape[:-2]) if i not in axes)
    return others, tuple(x.shape[axis] for axis in axes)


def _placed(mask: TensorLike, others: int, axes: Axes) -> jax.Array:
    """Return a mask (b, t...), or of all axes but the last one of the inputs, as (others..., 1 for the heads, t...)."""
    k = len(axes)
    mask = jnp.asarray(mask).astype(bool)
    if mask.ndim == others + k:
        mask = jnp.moveaxis(mask, axes, range(others, others + k))
    elif mask.ndim != 1 + k:
        raise ValueError(
            f"A mask has the axes of its tensor without the last one, {others + k} here, or the batch axis and "
            f"the {k} attention axes; received shape {mask.shape}."
        )
    missing = others + k - mask.ndim
    before, places = mask.shape[: mask.ndim - k], mask.shape[mask.ndim - k :]
    return mask.reshape(*before, *[1] * missing, 1, *places)


def _for_each_head(x: jax.Array, heads: int) -> jax.Array:
    """Repeat (b, s, m, d) to (b, s, n, d): several queries' heads share one of the keys."""
    groups = heads // x.shape[2]
    return x if groups == 1 else jnp.repeat(x, groups, axis=2)


@op
def summed_tanh(
    query: TensorLike,
    key: TensorLike,
    inside: TensorLike | None = None,
    outside: TensorLike | None = None,
) -> jax.Array:
    """Return the sum over d of outside * tanh(inside * (query + key)): (b, t, d), (b, s, d) -> (b, t, s)"""
    each = array(query)[..., :, None, :] + array(key)[..., None, :, :]
    each = jnp.tanh(each if inside is None else array(inside) * each)
    return jnp.sum(each if outside is None else array(outside) * each, axis=-1)


@op
def limited_softmax(scores: TensorLike, mask: TensorLike | None, is_causal: bool) -> jax.Array:
    """Return the softmax of (b, t, s) along s, in float32 at least, where the mask (b, s) is true and, if causal, s <= t.

    Where nothing is allowed, all places get the same weight.
    """
    scores = array(scores)
    wide = scores.astype(jnp.promote_types(scores.dtype, jnp.float32))
    allowed = None if mask is None else jnp.asarray(mask).astype(bool)[..., None, :]
    if is_causal:
        causal = jnp.tri(*scores.shape[-2:], dtype=bool)
        allowed = causal if allowed is None else allowed & causal
    if allowed is not None:
        wide = jnp.where(allowed, wide, wide - 1e9)
    return jax.nn.softmax(wide, axis=-1).astype(scores.dtype)
