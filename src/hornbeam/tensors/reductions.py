"""`tf.reduce_*` and what runs along an axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from hornbeam import ops
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op
from hornbeam.core.signatures import of_reduction


@op(name="tf.reduce_mean")
def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean; integers give integers, as in TensorFlow."""
    x = jnp.asarray(x)
    return jnp.mean(x, axis=axis, keepdims=keepdims).astype(x.dtype)


@op(name="reduce_euclidean_norm")
def _euclidean_norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """sqrt(sum(x^2))"""
    return jnp.sqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=keepdims))


reduce_sum = of_reduction(ops.sum, "reduce_sum")
reduce_mean = of_reduction(_mean, "reduce_mean")
reduce_max = of_reduction(ops.max, "reduce_max")
reduce_min = of_reduction(ops.min, "reduce_min")
reduce_prod = of_reduction(ops.prod, "reduce_prod")
reduce_all = of_reduction(ops.all, "reduce_all")
reduce_any = of_reduction(ops.any, "reduce_any")
reduce_logsumexp = of_reduction(ops.logsumexp, "reduce_logsumexp")
reduce_std = of_reduction(ops.std, "reduce_std")
reduce_variance = of_reduction(ops.var, "reduce_variance")
reduce_euclidean_norm = of_reduction(_euclidean_norm, "reduce_euclidean_norm")


@op(name="tf.argmax")
def argmax(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The place of the greatest value along an axis, the first axis by default.

    >>> import hornbeam as tf
    >>> tf.argmax([[1, 5, 2], [7, 0, 3]], axis=1).numpy()
    array([1, 0], dtype=int32)
    """
    return jnp.argmax(jnp.asarray(input), axis=axis or 0).astype(canonical(output_type))


@op(name="tf.argmin")
def argmin(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The place of the least value along an axis, the first axis by default."""
    return jnp.argmin(jnp.asarray(input), axis=axis or 0).astype(canonical(output_type))


def _running(scan: Any, neutral: Any, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    x = jnp.asarray(x)
    x = jnp.flip(x, axis) if reverse else x
    if exclusive:
        rest = jax.lax.slice_in_dim(x, 0, x.shape[axis] - 1, axis=axis)
        first = jnp.full_like(jax.lax.slice_in_dim(x, 0, 1, axis=axis), neutral)
        x = jnp.concatenate([first, rest], axis)
    found = scan(x, axis=axis).astype(x.dtype)
    return jnp.flip(found, axis) if reverse else found


@op(name="tf.math.cumsum")
def cumsum(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """The sums of the elements up to each place; `exclusive` leaves the element itself out.

    >>> import hornbeam as tf
    >>> tf.cumsum([1, 2, 3], exclusive=True).numpy()
    array([0, 1, 3], dtype=int32)
    """
    return _running(jnp.cumsum, 0, x, axis, exclusive, reverse)


@op(name="tf.math.cumprod")
def cumprod(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """The products of the elements up to each place; `exclusive` leaves the element itself out."""
    return _running(jnp.cumprod, 1, x, axis, exclusive, reverse)


@op(name="tf.math.count_nonzero")
def count_nonzero(
    input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = "int64",
    name: str | None = None,
) -> Any:
    """The number of elements that are not zero."""
    return jnp.count_nonzero(jnp.asarray(input), axis=axis, keepdims=bool(keepdims)).astype(
        canonical(dtype)
    )


@op
def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The share of elements that are zero."""
    return jnp.mean((jnp.asarray(value) == 0).astype("float32"))


class TopK(NamedTuple):
    """What `top_k` gives."""

    values: Any
    indices: Any


def top_k(
    input: Any, k: int = 1, sorted: bool = True, index_type: Any = "int32", name: str | None = None
) -> TopK:
    """The `k` greatest values along the last axis, and their places.

    >>> import hornbeam as tf
    >>> values, indices = tf.math.top_k([1, 9, 4], k=2)
    >>> print(values.numpy(), indices.numpy())
    [9 4] [1 2]
    """
    values, indices = ops.top_k(input, k, sorted=sorted)
    return TopK(values, ops.cast(indices, index_type))


def in_top_k(targets: Any, predictions: Any, k: int, name: str | None = None) -> Any:
    """Whether each target is among the `k` greatest predictions of its row."""
    return ops.in_top_k(targets, predictions, k)


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Any:
    """x / sqrt(max(sum(x^2), epsilon))"""
    return _l2_normalize(x, axis if dim is None else dim, epsilon)


@op(name="l2_normalize")
def _l2_normalize(x: Any, axis: Any, epsilon: float) -> Any:
    x = jnp.asarray(x)
    total = jnp.sum(
        jnp.square(x), axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=True
    )
    return x * jax.lax.rsqrt(jnp.maximum(total, epsilon))
