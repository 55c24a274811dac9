"""Functions of `keras.backend` on every element, along axes, and on several tensors."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any, TypeAlias

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.tensor import is_traced, unwrap
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.ops import linalg
from hornbeam.tensors import elementwise, matrices, picking, reductions, shaping

Branch: TypeAlias = "Callable[[], Any] | TensorLike"

abs = elementwise.abs
cos = elementwise.cos
exp = elementwise.exp
log = elementwise.log
round = elementwise.round
sign = elementwise.sign
sin = elementwise.sin
square = elementwise.square
tanh = elementwise.tanh
sigmoid = elementwise.sigmoid

equal = elementwise.equal
greater = elementwise.greater
greater_equal = elementwise.greater_equal
less = elementwise.less
less_equal = elementwise.less_equal
maximum = elementwise.maximum
minimum = elementwise.minimum
not_equal = elementwise.not_equal


def pow(x: TensorLike, a: TensorLike) -> Any:
    """Return x to the power a."""
    return elementwise.pow(x, a)


def sqrt(x: TensorLike) -> Any:
    """Return the square root, 0 for negative numbers."""
    return elementwise.sqrt(elementwise.maximum(x, 0))


def clip(x: TensorLike, min_value: TensorLike | None, max_value: TensorLike | None) -> Any:
    """Return `x` with what lies outside of [min_value, max_value] replaced by the nearer limit; None is no limit.

    >>> from hornbeam.keras import backend as K
    >>> K.clip(K.constant([-2.0, 0.5, 2.0]), 0, 1).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    low = -math.inf if min_value is None else min_value
    high = math.inf if max_value is None else max_value
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        high = builtins.max(low, high)
    return shaping.clip_by_value(x, low, high)


def _numbers(x: Any) -> Any:
    """Return booleans as numbers of the default float type, anything else as it is."""
    return shaping.cast(x, floatx()) if ops.dtype(x).is_bool else x


def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the mean along axes, of all elements by default; booleans count as 0 and 1.

    >>> from hornbeam.keras import backend as K
    >>> K.mean(K.constant([[1.0, 3.0], [5.0, 7.0]]), axis=-1).numpy()
    array([2., 6.], dtype=float32)
    """
    return reductions.reduce_mean(_numbers(x), axis, keepdims)


def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the standard deviation along axes."""
    return reductions.reduce_std(_numbers(x), axis, keepdims)


def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the variance along axes."""
    return reductions.reduce_variance(_numbers(x), axis, keepdims)


def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the sum along axes, of all elements by default."""
    return reductions.reduce_sum(x, axis, keepdims)


def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the product along axes, of all elements by default."""
    return reductions.reduce_prod(x, axis, keepdims)


def max(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the greatest element along axes, of all by default."""
    return reductions.reduce_max(x, axis, keepdims)


def min(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the least element along axes, of all by default."""
    return reductions.reduce_min(x, axis, keepdims)


def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return whether all elements along axes are true, i.e. not 0."""
    return reductions.reduce_all(shaping.cast(x, "bool"), axis, keepdims)


def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return whether any element along axes is true, i.e. not 0."""
    return reductions.reduce_any(shaping.cast(x, "bool"), axis, keepdims)


def argmax(x: TensorLike, axis: int = -1) -> Any:
    """Return the place of the greatest value along an axis."""
    return reductions.argmax(x, axis)


def argmin(x: TensorLike, axis: int = -1) -> Any:
    """Return the place of the least value along an axis."""
    return reductions.argmin(x, axis)


def cumsum(x: TensorLike, axis: int = 0) -> Any:
    """Return the sums of the elements up to each place."""
    return reductions.cumsum(x, axis)


def cumprod(x: TensorLike, axis: int = 0) -> Any:
    """Return the products of the elements up to each place."""
    return reductions.cumprod(x, axis)


def l2_normalize(x: TensorLike, axis: Axis = None) -> Any:
    """Return x / sqrt(max(sum(x^2), 1e-12)), the sum taken along axes."""
    return reductions.l2_normalize(x, axis)


def in_top_k(predictions: TensorLike, targets: TensorLike, k: int) -> Any:
    """Return whether each target is among the `k` greatest predictions of its row."""
    return reductions.in_top_k(targets, predictions, k)


def dot(x: TensorLike, y: TensorLike) -> Any:
    """Return the sum of products over the last axis of x and the second to last of y: (..., n), (..., n, k) -> (..., ..., k)

    >>> from hornbeam.keras import backend as K
    >>> K.dot(K.ones((2, 3, 4)), K.ones((4, 5))).shape
    TensorShape([2, 3, 5])
    """
    if builtins.max(ops.ndim(x), ops.ndim(y)) > 2:
        return ops.dot(x, y)
    return matrices.matmul(x, y)


def batch_dot(x: TensorLike, y: TensorLike, axes: int | tuple[int, int] | None = None) -> Any:
    """Return the sum of products over one axis of each, row by row: (b, ..., n), (b, n, ...) -> (b, ..., ...)

    `axes` says which axes, by default the last of x and the second to last of y (its last if y has two).

    >>> from hornbeam.keras import backend as K
    >>> K.batch_dot(K.ones((2, 3, 4)), K.ones((2, 4, 5))).shape
    TensorShape([2, 3, 5])
    """
    ranks = ops.ndim(x), ops.ndim(y)
    if builtins.min(ranks) < 2:
        raise ValueError(
            f"`batch_dot` takes tensors of 2 axes or more; received {ranks[0]} and {ranks[1]} axes."
        )
    if axes is None:
        axes = ranks[0] - 1, builtins.max(ranks[1] - 2, 1)
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    chosen = [axis % rank for axis, rank in zip(pair, ranks, strict=True)]
    if 0 in chosen:
        raise ValueError(f"`batch_dot` can't sum over the rows (axis 0); received axes={axes}.")
    return linalg.batch_dot(x, y, *chosen)


def gather(reference: TensorLike, indices: TensorLike) -> Any:
    """Return slices of `reference` by their places along its first axis."""
    return picking.gather(reference, indices)


def switch(condition: TensorLike, then_expression: Branch, else_expression: Branch) -> Any:
    """Return one of both where the condition holds, else the other: tensors, or functions that return them.

    A single condition chooses between the two as a whole; a condition of more axes element by element, where axes that it
    lacks at the end are added.
    """
    condition = shaping.cast(condition, "bool")
    axes = ops.ndim(condition)
    if not axes:
        branches = [_as_function(each) for each in (then_expression, else_expression)]
        if is_traced(unwrap(condition)):
            return ops.cond(condition, *branches)
        return branches[0]() if bool(condition) else branches[1]()
    chosen, other = (_as_function(each)() for each in (then_expression, else_expression))
    missing = ops.ndim(chosen) - axes
    if missing < 0:
        raise ValueError(
            "`switch` takes a condition of at most as many axes as the values; received a condition of "
            f"{axes} axes and a value of {ops.ndim(chosen)}."
        )
    if axes > 1 and missing:
        condition = ops.expand_dims(condition, tuple(range(-missing, 0)))
    return picking.where(condition, chosen, other)


def _as_function(value: Any) -> Callable[[], Any]:
    return value if callable(value) else lambda: value


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Return `fn` of each slice along the first axis, stacked."""
    return ops.map(fn, elems)


def foldl(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Any:
    """Return fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1]); None begins with elems[0]."""
    return _fold(fn, elems, initializer, reverse=False)


def foldr(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, name: str | None = None
) -> Any:
    """Return `foldl` of the slices from the last to the first."""
    return _fold(fn, elems, initializer, reverse=True)


def _fold(fn: Callable[..., Any], elems: Any, start: Any, reverse: bool) -> Any:
    elems = ops.flip(elems, 0) if reverse else ops.convert_to_tensor(elems)
    if start is None:
        start, elems = elems[0], elems[1:]
    return ops.scan(lambda total, each: (fn(total, each), total), start, elems)[0]
