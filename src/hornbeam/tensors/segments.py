"""Counting, and sums over groups of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import canonical
from hornbeam.core.op import op


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: int | None = None,
    maxlength: int | None = None,
    dtype: Any = "int32",
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Any:
    """How often each of 0, 1, 2, ... occurs. The values must be known: not inside a compiled program."""
    if axis not in (None, 0) or binary_output:
        raise NotImplementedError(
            "bincount counts over all values (axis=None, binary_output=False)."
        )
    length = max(int(np.max(np.asarray(arr), initial=-1)) + 1, minlength or 0)
    length = length if maxlength is None else min(length, maxlength)
    counts = _bincount(arr, weights, length)
    return counts if weights is not None else ops.cast(counts, dtype)


@op(name="tf.math.bincount")
def _bincount(arr: Any, weights: Any, length: int) -> Any:
    flat = jnp.ravel(jnp.asarray(arr))
    return jnp.bincount(
        flat, None if weights is None else jnp.ravel(jnp.asarray(weights)), length=length
    )


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: int | None = None,
    weights: Any = None,
    dtype: Any = "int32",
    name: str | None = None,
) -> Any:
    """A table of counts: rows are the true classes, columns the predicted ones.

    >>> import hornbeam as tf
    >>> tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy()
    array([[1, 0],
           [1, 1]], dtype=int32)
    """
    if num_classes is None:
        num_classes = int(max(np.max(np.asarray(labels)), np.max(np.asarray(predictions)))) + 1
    return _confusion(labels, predictions, num_classes, weights, str.__str__(canonical(dtype).name))


@op(name="confusion_matrix")
def _confusion(labels: Any, predictions: Any, classes: int, weights: Any, dtype: str) -> Any:
    labels, predictions = jnp.ravel(jnp.asarray(labels)), jnp.ravel(jnp.asarray(predictions))
    values = (
        jnp.ones(labels.shape, dtype)
        if weights is None
        else jnp.ravel(jnp.asarray(weights)).astype(dtype)
    )
    return jnp.zeros((classes, classes), dtype).at[labels, predictions].add(values)


def _segment(fn: Callable[..., Any], title: str, doc: str) -> Callable[..., Any]:
    reduce = op(name=f"tf.math.{title}")(fn)

    def segment(
        data: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None
    ) -> Any:
        if num_segments is None:
            num_segments = int(np.max(np.asarray(segment_ids), initial=-1)) + 1
        return reduce(data, segment_ids, int(num_segments))

    segment.__name__ = segment.__qualname__ = title
    segment.__doc__ = doc
    return segment


def _mean(data: Any, ids: Any, count: int) -> Any:
    data, ids = jnp.asarray(data), jnp.asarray(ids)
    rows = jax.ops.segment_sum(jnp.ones(ids.shape, "float32"), ids, count)
    total = jax.ops.segment_sum(data, ids, count)
    return (total / jnp.maximum(rows, 1).reshape(-1, *[1] * (data.ndim - 1))).astype(data.dtype)


def _segment_raw(fn: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(data: Any, ids: Any, count: int) -> Any:
        return fn(jnp.asarray(data), jnp.asarray(ids), count)

    return reduce


segment_sum = _segment(
    _segment_raw(jax.ops.segment_sum), "segment_sum", "The sum of the rows of each group."
)
segment_max = _segment(
    _segment_raw(jax.ops.segment_max), "segment_max", "The greatest of the rows of each group."
)
segment_min = _segment(
    _segment_raw(jax.ops.segment_min), "segment_min", "The least of the rows of each group."
)
segment_prod = _segment(
    _segment_raw(jax.ops.segment_prod), "segment_prod", "The product of the rows of each group."
)
segment_mean = _segment(_mean, "segment_mean", "The mean of the rows of each group.")
unsorted_segment_sum, unsorted_segment_max = segment_sum, segment_max
unsorted_segment_min, unsorted_segment_prod, unsorted_segment_mean = (
    segment_min,
    segment_prod,
    segment_mean,
)
