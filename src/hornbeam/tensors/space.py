"""Blocks of space, windows, reversed sequences and histograms under TensorFlow's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import canonical
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.ops import space
from hornbeam.tensors.numbers import known_integers, known_pairs


def space_to_batch(
    input: TensorLike, block_shape: Any, paddings: Any, name: str | None = None
) -> Any:
    """Return the places of each block as rows of the batch: (b, n1, ..., rest) -> (k1 ... b, n1 / k1, ..., rest)

    The spatial axes are padded with zeros first.

    >>> import hornbeam as tf
    >>> tf.space_to_batch([[1, 2, 3, 4]], [2], [[0, 0]]).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return space.space_to_batch(input, known_integers(block_shape), known_pairs(paddings))


space_to_batch_nd = space_to_batch


def batch_to_space(input: TensorLike, block_shape: Any, crops: Any, name: str | None = None) -> Any:
    """Undo `space_to_batch`, then cut `crops` off: (k1 ... b, n1, ..., rest) -> (b, n1 k1, ..., rest)

    >>> import hornbeam as tf
    >>> tf.batch_to_space([[1, 3], [2, 4]], [2], [[0, 0]]).numpy()
    array([[1, 2, 3, 4]], dtype=int32)
    """
    return space.batch_to_space(input, known_integers(block_shape), known_pairs(crops))


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Any, Any]:
    """Return the paddings for `space_to_batch` that make sizes divisible by the blocks, and the crops that take them off again.

    >>> import hornbeam as tf
    >>> tf.required_space_to_batch_paddings([5], [2])[0].numpy()
    array([[0, 1]], dtype=int32)
    """
    sizes, blocks = known_integers(input_shape), known_integers(block_shape)
    base = [(0, 0)] * len(sizes) if base_paddings is None else known_pairs(base_paddings)
    extra = [
        -(size + before + after) % block
        for size, block, (before, after) in zip(sizes, blocks, base, strict=True)
    ]
    paddings = [(before, after + more) for (before, after), more in zip(base, extra, strict=True)]
    crops = [(0, more) for more in extra]
    return (
        convert_to_tensor(np.array(paddings, "int32").reshape(-1, 2)),
        convert_to_tensor(np.array(crops, "int32").reshape(-1, 2)),
    )


def reverse_sequence(
    input: TensorLike,
    seq_lengths: TensorLike,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
) -> Any:
    """Return `input` with the first `seq_lengths[i]` slices along `seq_axis` turned round, for row i along `batch_axis`.

    >>> import hornbeam as tf
    >>> tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).numpy()
    array([[2, 1, 3],
           [6, 5, 4]], dtype=int32)
    """
    if seq_axis is None:
        raise ValueError("`reverse_sequence` needs `seq_axis`: the axis that is turned round.")
    return space.reverse_sequence(input, seq_lengths, seq_axis, batch_axis or 0)


def extract_volume_patches(
    input: TensorLike, ksizes: Any, strides: Any, padding: str, name: str | None = None
) -> Any:
    """Return each window's elements in one row: (b, d, h, w, c) -> (b, d', h', w', kd kh kw c)

    `ksizes` and `strides` have five numbers, the first and the last 1.
    """
    sizes, steps = known_integers(ksizes), known_integers(strides)
    if len(sizes) != 5 or len(steps) != 5 or {sizes[0], sizes[4], steps[0], steps[4]} != {1}:
        raise ValueError(
            "`ksizes` and `strides` have five numbers, the first and the last 1; received "
            f"{sizes} and {steps}."
        )
    return space.extract_patches(input, sizes[1:4], steps[1:4], padding)


def histogram_fixed_width_bins(
    values: TensorLike,
    value_range: TensorLike,
    nbins: int = 100,
    dtype: DTypeLike = "int32",
    name: str | None = None,
) -> Any:
    """Return the number of the interval that each value is in, of `nbins` equal ones; what lies outside is in the nearest."""
    return space.histogram_bins(values, value_range, int(nbins), canonical(dtype).name)


def histogram_fixed_width(
    values: TensorLike,
    value_range: TensorLike,
    nbins: int = 100,
    dtype: DTypeLike = "int32",
    name: str | None = None,
) -> Any:
    """Return how many values are in each of `nbins` equal intervals; what lies outside counts for the nearest.

    >>> import hornbeam as tf
    >>> tf.histogram_fixed_width([0.1, 0.2, 0.9, 5.0], [0.0, 1.0], nbins=2).numpy()
    array([2, 2], dtype=int32)
    """
    places = histogram_fixed_width_bins(values, value_range, nbins)
    ones = ops.ones_like(ops.ravel(places), dtype)
    return ops.segment_sum(ones, ops.ravel(places), num_segments=int(nbins))
