"""`tf.reduce_*` and what runs along an axis."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from hornbeam import ops
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.signatures import of_reduction
from hornbeam.core.symbolic import is_symbolic
from hornbeam.ops.reduction import (
    argmax_as,
    argmin_as,
    integer_mean,
    running_product,
    running_sum,
)

_SMALL = ("int8", "int16", "uint8", "uint16")


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum, in the type of the elements: small whole numbers wrap round, as in TensorFlow."""
    return in_type_of(x, ops.sum(x, axis, keepdims))


def _product(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product, in the type of the elements: small whole numbers wrap round, as in TensorFlow."""
    return in_type_of(x, ops.prod(x, axis, keepdims))


def in_type_of(x: Any, found: Any) -> Any:
    """Return what was found in the type of `x` if that holds small whole numbers, which NumPy widens."""
    kind = ops.dtype(x)
    return ops.cast(found, kind) if kind.name in _SMALL else found


def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean; integers have integer means, cut towards 0, as in TensorFlow."""
    return integer_mean(x, axis, keepdims) if is_whole(x) else ops.mean(x, axis, keepdims)


def is_whole(x: Any) -> bool:
    """Return whether `x` holds integers. What is no tensor is left to the op, which refuses it."""
    return not isinstance(x, (str, bytes)) and ops.dtype(x).is_integer


def _euclidean_norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """sqrt(sum(x^2)); that of integers is an integer, as in TensorFlow."""
    if not is_whole(x):
        return ops.sqrt(ops.sum(ops.square(x), axis, keepdims))
    total = _sum(ops.square(x), axis, keepdims)
    return ops.cast(ops.sqrt(ops.cast(total, "float64")), ops.dtype(x))


def _largest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; the least number of the type where there is none, as in TensorFlow."""
    return ops.max(x, axis, keepdims, initial=_end(x, 0) if _is_empty(x) else None)


def _smallest(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; the greatest number of the type where there is none."""
    return ops.min(x, axis, keepdims, initial=_end(x, 1) if _is_empty(x) else None)


def _is_empty(x: Any) -> bool:
    return 0 in tuple(getattr(x, "shape", ()))  # the op refuses what is no tensor


def _end(x: Any, place: int) -> Any:
    """Return the least (0) or the greatest (1) number of the type of `x`."""
    kind = ops.dtype(x)
    return (kind.min, kind.max)[place] if kind.is_integer else (-math.inf, math.inf)[place]


reduce_sum = of_reduction(_sum, "reduce_sum")
reduce_mean = of_reduction(_mean, "reduce_mean")
reduce_max = of_reduction(_largest, "reduce_max")
reduce_min = of_reduction(_smallest, "reduce_min")
reduce_prod = of_reduction(_product, "reduce_prod")
reduce_all = of_reduction(ops.all, "reduce_all")
reduce_any = of_reduction(ops.any, "reduce_any")
reduce_logsumexp = of_reduction(ops.logsumexp, "reduce_logsumexp")
reduce_std = of_reduction(ops.std, "reduce_std")
reduce_variance = of_reduction(ops.var, "reduce_variance")
reduce_euclidean_norm = of_reduction(_euclidean_norm, "reduce_euclidean_norm")


def argmax(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The place of the greatest value along an axis, the first axis by default.

    >>> import hornbeam as tf
    >>> tf.argmax([[1, 5, 2], [7, 0, 3]], axis=1).numpy()
    array([1, 0])
    """
    if is_symbolic(input):  # a saved graph holds ops that Keras has too
        return ops.cast(ops.argmax(input, axis=axis or 0), output_type)
    return argmax_as(input, axis or 0, as_dtype(output_type))


def argmin(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """The place of the least value along an axis, the first axis by default."""
    if is_symbolic(input):  # a saved graph holds ops that Keras has too
        return ops.cast(ops.argmin(input, axis=axis or 0), output_type)
    return argmin_as(input, axis or 0, as_dtype(output_type))


def cumsum(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """The sums of the elements up to each place; `exclusive` leaves the element itself out.

    >>> import hornbeam as tf
    >>> tf.cumsum([1, 2, 3], exclusive=True).numpy()
    array([0, 1, 3], dtype=int32)
    """
    return running_sum(x, axis, exclusive, reverse)


def cumprod(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """The products of the elements up to each place; `exclusive` leaves the element itself out."""
    return running_product(x, axis, exclusive, reverse)


def count_nonzero(
    input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = "int64",
    name: str | None = None,
) -> Any:
    """The number of elements that are not zero."""
    return ops.cast(ops.sum(ops.not_equal(input, 0), axis, bool(keepdims)), dtype)


def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The share of elements that are zero."""
    return ops.mean(ops.cast(ops.equal(value, 0), "float32"))


class TopK(NamedTuple):
    """What `top_k` returns."""

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
    return ops.normalize(x, axis if dim is None else dim, epsilon=math.sqrt(epsilon))
