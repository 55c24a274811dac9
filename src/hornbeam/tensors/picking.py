"""Elements picked out, put in, and chosen by a condition."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hornbeam import ops
from hornbeam.core import host
from hornbeam.core.dtypes import canonical
from hornbeam.core.error_types import invalid, out_of_bounds
from hornbeam.core.index_bounds import check_indices, check_places
from hornbeam.core.shapes import TensorShape, axis_from_front
from hornbeam.core.signatures import first_tensor, of_one_type
from hornbeam.core.tensor import convert_to_tensor, unwrap
from hornbeam.ops import indexing


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`x` where the condition holds, else `y`; without both, the places where it holds.

    >>> import hornbeam as tf
    >>> tf.where([True, False], [1, 2], [3, 4]).numpy()
    array([1, 4], dtype=int32)
    >>> tf.where([False, True]).numpy()
    array([[1]])
    """
    if (x is None) != (y is None):
        raise ValueError("Give `where` both x and y, or neither.")
    if x is None:
        return convert_to_tensor(np.argwhere(np.asarray(condition)), "int64")
    if host.is_text(x) or host.is_text(y):
        x, y = host.strings(x), host.strings(y)
    x, y = of_one_type(x, y)
    return ops.where(condition, x, y)


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: int | None = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Any:
    """Slices of `params` by their places along an axis.

    Raises InvalidArgumentError for a place beyond the axis; in a compiled program, where places are not known, such a
    slice is NaN (the least integer).

    >>> import hornbeam as tf
    >>> tf.gather([10, 20, 30], [2, 0]).numpy()
    array([30, 10], dtype=int32)
    """
    params = host.strings(params) if host.is_text(params) else first_tensor(params)
    rank = len(params.shape)
    axis = batch_dims if axis is None else axis_from_front(int(axis), rank)
    check_indices(indices, np.shape(params)[axis] if axis < rank else None, "GatherV2")
    return indexing.gather(params, indices, axis, batch_dims)


def gather_nd(
    params: Any,
    indices: Any,
    batch_dims: int = 0,
    name: str | None = None,
    bad_indices_policy: str = "",
) -> Any:
    """Slices of `params` by places along its first axes: the last axis of `indices` counts them.

    Raises InvalidArgumentError for a place that does not exist.
    """
    params = host.strings(params) if host.is_text(params) else params
    check_places(indices, np.shape(params), "GatherNd", batch_dims)
    return indexing.gather_nd(params, indices, batch_dims)


def _scatter(put: Callable[..., Any]) -> Callable[..., Any]:
    def scatter(
        tensor: Any,
        indices: Any,
        updates: Any,
        bad_indices_policy: str = "",
        name: str | None = None,
    ) -> Any:
        check_places(indices, np.shape(tensor), "TensorScatterUpdate")
        return put(tensor, indices, updates)

    scatter.__name__ = scatter.__qualname__ = put.__name__
    scatter.__doc__ = put.__doc__
    return scatter


tensor_scatter_nd_update = _scatter(indexing.tensor_scatter_nd_update)
tensor_scatter_nd_add = _scatter(indexing.tensor_scatter_nd_add)
tensor_scatter_nd_sub = _scatter(indexing.tensor_scatter_nd_sub)
tensor_scatter_nd_max = _scatter(indexing.tensor_scatter_nd_max)
tensor_scatter_nd_min = _scatter(indexing.tensor_scatter_nd_min)


def scatter_nd(
    indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None
) -> Any:
    """Zeros of `shape` with `updates` added at the places `indices`."""
    sizes = tuple(int(each) for each in np.asarray(unwrap(shape)))
    check_places(indices, sizes, "ScatterNd")
    updates = convert_to_tensor(updates)
    if updates.dtype.is_bool:
        counts = tensor_scatter_nd_add(
            ops.zeros(sizes, "int32"), indices, ops.cast(updates, "int32")
        )
        return ops.cast(counts, "bool")
    return tensor_scatter_nd_add(ops.zeros(sizes, updates.dtype), indices, updates)


def boolean_mask(
    tensor: Any, mask: Any, axis: int | None = None, name: str = "boolean_mask"
) -> Any:
    """The elements where the mask holds. The mask must be known: not inside a compiled program.

    Raises ValueError where the mask has another shape than the axes that it covers.
    """
    start = int(axis or 0)
    shape = TensorShape(np.shape(tensor))
    shape[start : start + np.ndim(mask)].assert_is_compatible_with(TensorShape(np.shape(mask)))
    tensor = host.strings(tensor) if host.is_text(tensor) else tensor
    chosen = np.nonzero(np.asarray(mask))
    return ops.get_item(tensor, (_slice(None),) * (axis or 0) + chosen)


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """A block that begins at `begin` and has `size`; -1 means to the end.

    Raises InvalidArgumentError where the block reaches beyond the tensor.
    """
    starts = [int(each) for each in np.asarray(unwrap(begin))]
    sizes = [int(each) for each in np.asarray(unwrap(size))]
    for axis, (start, size, length) in enumerate(
        zip(starts, sizes, np.shape(input_), strict=False)
    ):
        if isinstance(length, int) and not 0 <= start <= length:
            raise out_of_bounds(
                f"Expected begin[{axis}] in [0, {length}], but got {start} [Op:Slice]"
            )
        if isinstance(length, int) and not -1 <= size <= length - start:
            raise out_of_bounds(
                f"Expected size[{axis}] in [0, {length - start}], but got {size} [Op:Slice]"
            )
    key = tuple(_slice(b, None if s == -1 else b + s) for b, s in zip(starts, sizes, strict=True))
    return ops.get_item(host.strings(input_) if host.is_text(input_) else input_, key)


_slice = builtins.slice


class Unique(NamedTuple):
    """What `unique` returns."""

    y: Any
    idx: Any


def unique(x: Any, out_idx: Any = "int32", name: str | None = None) -> Unique:
    """Return the different values in the order in which they first come, and the place of each element among them."""
    x = host.strings(x) if host.is_text(x) else x
    values = np.asarray(x)
    if values.ndim != 1:
        raise invalid(
            f"`tf.unique`: unique expects a 1D vector; received a tensor of shape {values.shape}. Flatten it: "
            "tf.reshape(x, [-1])."
        )
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True, equal_nan=False)
    order = np.argsort(first)
    places = np.argsort(order)[inverse]
    return Unique(ops.take(x, first[order]), convert_to_tensor(places, out_idx))


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: str | None = None
) -> Any:
    """True for the first `length` places of each row.

    >>> import hornbeam as tf
    >>> tf.sequence_mask([1, 3]).numpy()
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    longest = int(np.max(np.asarray(lengths))) if maxlen is None else int(maxlen)
    return indexing.sequence_mask(lengths, longest, canonical(dtype).name)


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = "int32",
    name: str | None = None,
) -> Any:
    """Where each value would have to be put in to keep the order."""
    return ops.cast(ops.searchsorted(sorted_sequence, values, side=side), out_type)
