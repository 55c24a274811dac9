"""Order and counts: sorting, ranks, quantiles, histograms."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from hornbeam.core.jax_typed import unique as distinct
from hornbeam.core.op import op
from hornbeam.core.shapes import as_axis
from hornbeam.core.tensor import is_traced
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.ops.common import array, indices, inexact, inexact_pair

__all__ = [
    "argpartition",
    "argsort",
    "bincount",
    "corrcoef",
    "correlate",
    "diff",
    "digitize",
    "histogram",
    "in_top_k",
    "median",
    "percentile",
    "quantile",
    "searchsorted",
    "sort",
    "top_k",
    "trapezoid",
    "unique",
]


@op
def sort(x: TensorLike, axis: int | None = -1) -> jax.Array:
    """Sort x in ascending order along an axis."""
    return jnp.sort(array(x), axis=axis)


@op
def argsort(x: TensorLike, axis: int | None = -1) -> jax.Array:
    """Return the indices that put x in ascending order; equals keep their order."""
    x = array(x)
    return indices(jnp.argsort(x, axis=axis if x.ndim else None))


@op(name="tf.argsort")
def sorting_indices(x: TensorLike, axis: int, descending: bool) -> jax.Array:
    """Return the indices that put x in ascending or descending order; equals keep their order."""
    return indices(jnp.argsort(array(x), axis=axis, descending=descending, stable=True))


@op
def argpartition(x: TensorLike, kth: int, axis: int = -1) -> jax.Array:
    """Return indices that put the kth smallest in its place, smaller ones before and larger ones after."""
    return indices(jnp.argpartition(array(x), kth, axis))


@op
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[jax.Array, ...]:
    """Return the k largest elements of the last axis, largest first, and their indices.

    The order is always the sorted one: `sorted=False` only permits another.

    >>> from hornbeam.keras import ops
    >>> values, indices = ops.top_k([5.0, 1.0, 7.0, 3.0], k=2)
    >>> print(values.numpy(), indices.numpy())
    [7. 5.] [2 0]
    """
    return tuple(jax.lax.top_k(array(x), k))


@op
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> jax.Array:
    """Return whether each target class is among the k most likely; ties with the kth count as in.

    targets: integers (b,), predictions: (b, classes) -> booleans (b,). A target out of range, or
    whose score is not finite, is never in.

    >>> from hornbeam.keras import ops
    >>> print(ops.in_top_k([1, 2], [[0.1, 0.9, 0.0], [0.5, 0.4, 0.1]], k=1).numpy())
    [ True False]
    """
    targets, predictions = array(targets), array(predictions)
    classes = predictions.shape[-1]
    inside = (targets >= 0) & (targets < classes)
    index = jnp.where(inside, targets, 0)[..., None]
    score = jnp.take_along_axis(predictions, index, axis=-1)
    better = jnp.sum(predictions > score, axis=-1)
    return inside & jnp.isfinite(score[..., 0]) & (better < k)


@op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> jax.Array:
    """Return where each value would go in a sorted 1D sequence: before ("left") or after its equals."""
    return indices(jnp.searchsorted(array(sorted_sequence), array(values), side=side))


@op
def digitize(x: TensorLike, bins: TensorLike) -> jax.Array:
    """Return the number of the bin that x falls into: bins[i - 1] <= x < bins[i].

    >>> from hornbeam.keras import ops
    >>> print(ops.digitize([0.2, 6.4, 3.0], bins=[0.0, 1.0, 2.5, 4.0]).numpy())
    [1 4 3]
    """
    return indices(jnp.digitize(array(x), array(bins)))


@op
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> jax.Array:
    """Return the middle element in order of size, or the mean of the two middle ones."""
    return jnp.median(inexact(x), axis=as_axis(axis), keepdims=keepdims)


@op
def quantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> jax.Array:
    """Return the value below which the fraction `q` of the elements lies, q in [0, 1].

    `method` says what holds between two elements: "linear", "lower", "higher", "midpoint" or
    "nearest". Several `q` come first in the result's shape.

    >>> from hornbeam.keras import ops
    >>> print(ops.quantile([1.0, 2.0, 3.0, 4.0], [0.0, 0.5]).numpy())
    [1.  2.5]
    """
    x = inexact(x)
    q = jnp.asarray(q, x.dtype)
    return jnp.quantile(x, q, axis=as_axis(axis), method=method, keepdims=keepdims)


@op
def percentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> jax.Array:
    """Return the value below which `q` per cent of the elements lie, q in [0, 100]; see `quantile`."""
    x = inexact(x)
    q = jnp.asarray(q, x.dtype)
    return jnp.percentile(x, q, axis=as_axis(axis), method=method, keepdims=keepdims)


@op(planned=False)
def bincount(
    x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False
) -> jax.Array:
    """Return how often each of 0, 1, 2, ... occurs on the last axis of x, or the sum of its weights.

    x: integers >= 0, (n,) or (b, n) -> (bins,) or (b, bins), bins = max(max(x) + 1, minlength). The
    number of bins depends on values, so that a compiled program must not need more than `minlength`:
    there, bins = minlength and larger values are not counted.

    >>> from hornbeam.keras import ops
    >>> print(ops.bincount([1, 1, 3]).numpy())
    [0 2 0 1]
    """
    if sparse:
        raise ValueError("Sparse results are not supported; call `bincount` with `sparse=False`.")
    x = array(x)
    if is_traced(x):
        bins = minlength
    else:
        bins = int(jnp.max(x, initial=-1)) + 1
        bins = bins if bins > minlength else minlength

    def count(row: jax.Array, row_weights: jax.Array | None) -> jax.Array:
        counts = jnp.bincount(row, weights=row_weights, length=bins)
        return indices(counts) if row_weights is None else counts

    if x.ndim == 1:
        return count(x, None if weights is None else array(weights))
    if weights is None:
        return jax.vmap(partial(count, row_weights=None))(x)
    return jax.vmap(count)(x, array(weights))


@op(name="confusion_matrix")
def counts_of_pairs(
    labels: TensorLike,
    predictions: TensorLike,
    classes: int,
    weights: TensorLike | None,
    dtype: str,
) -> jax.Array:
    """Return how often each class was predicted as each, (true classes, predicted classes), or the sum of the weights."""
    labels, predictions = jnp.ravel(array(labels)), jnp.ravel(array(predictions))
    ones = jnp.ones(labels.shape, dtype)
    values = ones if weights is None else jnp.ravel(array(weights)).astype(dtype)
    return jnp.zeros((classes, classes), dtype).at[labels, predictions].add(values)


def _is_int(value: object) -> bool:
    return isinstance(value, int)


@op
def histogram(
    x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[jax.Array, ...]:
    """Return how many elements fall into each of `bins` equal intervals, and the intervals' bins + 1 edges.

    >>> from hornbeam.keras import ops
    >>> counts, edges = ops.histogram([1.0, 2.0, 2.0, 5.0], bins=4)
    >>> print(counts.numpy(), edges.numpy())
    [1. 2. 0. 1.] [1. 2. 3. 4. 5.]
    """
    if not _is_int(bins) or bins < 1:
        raise ValueError(f"`bins` is a positive integer; received {bins!r}.")
    if range is not None and range[0] > range[1]:
        raise ValueError(f"`range` is (low, high) with low <= high; received {range!r}.")
    x = inexact(x)
    return tuple(jnp.histogram(x, bins=bins, range=range))


@op
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: TensorLike | None = None,
) -> jax.Array | tuple[jax.Array, ...]:
    """Return the distinct elements (or slices along `axis`), always in ascending order.

    With the flags also, as a tuple: the index of each one's first occurrence, which one stands at
    each place of x, and how often each occurs. How many there are depends on values: a compiled
    program must say `size`, and missing ones are filled with `fill_value`.

    >>> from hornbeam.keras import ops
    >>> print(ops.unique([3, 1, 3]).numpy())
    [1 3]
    """
    return distinct(
        array(x),
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        size=size,
        fill_value=fill_value,
    )


@op
def corrcoef(x: TensorLike) -> jax.Array:
    """Return Pearson's correlation of every two rows: (variables, observations) -> (variables, variables)."""
    return jnp.corrcoef(inexact(x))


@op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> jax.Array:
    """Return the cross-correlation of two 1D sequences; `mode` is "valid", "same" or "full" as in NumPy."""
    return jnp.correlate(*inexact_pair(x1, x2), mode=mode)


@op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> jax.Array:
    """Return a[i + 1] - a[i] along an axis, taken n times."""
    return jnp.diff(array(a), n=n, axis=axis)


@op
def trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1
) -> jax.Array:
    """Return the integral of y by the trapezoidal rule, sampled at x or `dx` apart."""
    return jnp.trapezoid(inexact(y), None if x is None else inexact(x), dx=dx, axis=axis)
