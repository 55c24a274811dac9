"""Counting, and sums over groups of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import canonical
from hornbeam.core.error_types import invalid
from hornbeam.core.index_bounds import check_indices
from hornbeam.ops.segment import segment_mean as mean_of_segments
from hornbeam.ops.segment import segment_sqrt_n as sqrt_n_of_segments
from hornbeam.ops.statistics import counts_of_pairs


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
    arr = _whole(arr)
    values = np.asarray(arr)
    if np.min(values, initial=0) < 0:
        raise invalid(
            f"Input arr must be non-negative! It holds {values.min()}. [Op:DenseBincount]"
        )
    length = max(int(np.max(values, initial=-1)) + 1, minlength or 0)
    length = length if maxlength is None else min(length, maxlength)
    flat = None if weights is None else ops.ravel(weights)
    counts = ops.bincount(ops.ravel(arr), flat, minlength=length)[:length]
    return counts if weights is not None else ops.cast(counts, dtype)


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
    labels, predictions = _whole(labels), _whole(predictions)
    if num_classes is None:
        num_classes = int(max(np.max(np.asarray(labels)), np.max(np.asarray(predictions)))) + 1
    check_indices(labels, num_classes, "ConfusionMatrix: labels")
    check_indices(predictions, num_classes, "ConfusionMatrix: predictions")
    return counts_of_pairs(
        labels, predictions, num_classes, weights, str.__str__(canonical(dtype).name)
    )


def _whole(values: Any) -> Any:
    """Return floats as int32, cut, as TensorFlow does."""
    kind = ops.dtype(values)
    return values if kind.is_integer or kind.is_bool else ops.cast(values, "int32")


def _segment(reduce: Callable[..., Any]) -> Callable[..., Any]:
    def segment(
        data: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None
    ) -> Any:
        if num_segments is not None:
            return reduce(data, segment_ids, int(num_segments))
        ids = np.asarray(segment_ids)
        if (np.diff(ids, axis=0) < 0).any() or (ids < 0).any():
            raise invalid(
                f"Segment ids are not increasing; received {ids.tolist()}. `tf.math.unsorted_{reduce.__name__}` takes ids in "
                "any order."
            )
        found = reduce(data, segment_ids, int(np.max(ids, initial=-1)) + 1)
        gaps = np.bincount(ids.ravel()) == 0
        if not gaps.any() or reduce not in (ops.segment_max, ops.segment_min):
            return found
        # Segments without rows are 0 in TensorFlow, for any reduction but the product.
        return ops.where(gaps.reshape(-1, *[1] * (found.ndim - 1)), ops.zeros_like(found), found)

    segment.__name__ = segment.__qualname__ = reduce.__name__
    segment.__doc__ = reduce.__doc__
    return segment


segment_sum = _segment(ops.segment_sum)
segment_max = _segment(ops.segment_max)
segment_min = _segment(ops.segment_min)
segment_prod = _segment(ops.segment_prod)
segment_mean = _segment(mean_of_segments)
unsorted_segment_sqrt_n = _segment(sqrt_n_of_segments)
unsorted_segment_sqrt_n.__name__ = "unsorted_segment_sqrt_n"
unsorted_segment_sum, unsorted_segment_max = segment_sum, segment_max
unsorted_segment_min, unsorted_segment_prod, unsorted_segment_mean = (
    segment_min,
    segment_prod,
    segment_mean,
)
