"""Rows sorted into groups and put together again, different values counted, under TensorFlow's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hornbeam import ops
from hornbeam.core import host
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.tensors.numbers import known_integers


def dynamic_partition(
    data: TensorLike, partitions: TensorLike, num_partitions: int, name: str | None = None
) -> list[Any]:
    """Return the slices of `data` as a list of tensors: slice i is in the one that `partitions[i]` says.

    The groups must be known: not inside a compiled program.

    >>> import hornbeam as tf
    >>> [each.numpy().tolist() for each in tf.dynamic_partition([1, 2, 3], [0, 1, 0], 2)]
    [[1, 3], [2]]
    """
    groups = np.asarray(partitions)
    if groups.size and not 0 <= groups.min() <= groups.max() < num_partitions:
        raise ValueError(
            f"`partitions` has numbers from {groups.min()} to {groups.max()}; num_partitions={num_partitions} allows 0 to "
            f"{num_partitions - 1}."
        )
    return [ops.get_item(data, np.nonzero(groups == n)) for n in range(num_partitions)]


def dynamic_stitch(indices: Sequence[Any], data: Sequence[Any], name: str | None = None) -> Any:
    """Return one tensor of the slices of several: `data[k][i]` comes to `indices[k][i]`; of several slices the last.

    Undoes `dynamic_partition`. The indices must be known: not inside a compiled program.

    >>> import hornbeam as tf
    >>> tf.dynamic_stitch([[0, 2], [1]], [[1.0, 3.0], [2.0]]).numpy()
    array([1., 2., 3.], dtype=float32)
    """
    places = [np.asarray(each) for each in indices]
    values = [ops.convert_to_tensor(each) for each in data]
    rest = tuple(values[0].shape)[places[0].ndim :]
    rows = ops.concatenate([ops.reshape(each, (-1, *rest)) for each in values], 0)
    flat = np.concatenate([each.ravel() for each in places]).astype(int)
    source = np.full(int(flat.max(initial=-1)) + 1, -1)
    source[flat] = np.arange(len(flat))
    found = ops.take(rows, np.maximum(source, 0), 0)
    known = (source >= 0).reshape(-1, *[1] * len(rest))
    return found if known.all() else ops.where(known, found, ops.zeros_like(found))


class UniqueWithCounts(NamedTuple):
    """What `unique_with_counts` returns."""

    y: Any
    idx: Any
    count: Any


def unique_with_counts(
    x: TensorLike, out_idx: DTypeLike = "int32", name: str | None = None
) -> UniqueWithCounts:
    """Return the different values in the order in which they first come, the place of each element among them, and their counts.

    >>> import hornbeam as tf
    >>> y, idx, count = tf.unique_with_counts([3, 1, 3])
    >>> print(y.numpy(), idx.numpy(), count.numpy())
    [3 1] [0 1 0] [2 1]
    """
    x = host.strings(x) if host.is_text(x) else x
    _, first, inverse, counts = np.unique(
        np.asarray(x),
        return_index=True,
        return_inverse=True,
        return_counts=True,
        equal_nan=False,
    )
    order = np.argsort(first)
    return UniqueWithCounts(
        ops.take(x, first[order]),
        convert_to_tensor(np.argsort(order)[inverse], out_idx),
        convert_to_tensor(counts[order], out_idx),
    )


def unravel_index(indices: TensorLike, dims: Any, name: str | None = None) -> Any:
    """Return indices into a flattened tensor of shape `dims` as one row of indices for each axis: (n,) -> (axes, n)

    >>> import hornbeam as tf
    >>> tf.unravel_index([5, 7], [3, 4]).numpy()
    array([[1, 1],
           [1, 3]], dtype=int32)
    """
    return ops.stack(ops.unravel_index(indices, known_integers(dims)))


def strided_slice(
    input_: TensorLike,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Any:
    """Return input_[begin[0]:end[0]:strides[0], ...]; bit i of a mask gives entry i another meaning.

    `begin_mask` and `end_mask`: no limit; `ellipsis_mask`: `...`; `new_axis_mask`: a new axis; `shrink_axis_mask`: the one index
    begin[i], whose axis goes away.

    >>> import hornbeam as tf
    >>> tf.strided_slice([1, 2, 3, 4], [0], [4], [2]).numpy()
    array([1, 3], dtype=int32)
    """
    starts, ends = known_integers(begin), known_integers(end)
    steps = (1,) * len(starts) if strides is None else known_integers(strides)
    key: list[Any] = []
    for i, (start, stop, step) in enumerate(zip(starts, ends, steps, strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(...)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(start)
        else:
            first = None if begin_mask & bit else start
            key.append(slice(first, None if end_mask & bit else stop, step))
    return ops.get_item(input_, tuple(key))
