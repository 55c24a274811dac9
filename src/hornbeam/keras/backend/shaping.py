"""The same values in another form, under the names of `keras.backend`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core.config import image_data_format
from hornbeam.core.typing import TensorLike
from hornbeam.ops.resizing import METHODS, upsample
from hornbeam.tensors import creation, shaping

Format = str | None
Pair = Sequence[int]


def data_format_of(data_format: Format) -> str:
    """Return the layout of images that is meant; None means the default one."""
    data_format = data_format or image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f"`data_format` is 'channels_first' or 'channels_last'; received {data_format!r}."
        )
    return data_format


def reshape(x: TensorLike, shape: Any) -> Any:
    """Return the values in another shape; one size may be -1."""
    return shaping.reshape(x, shape)


def flatten(x: TensorLike) -> Any:
    """Return all values in one row.

    >>> from hornbeam.keras import backend as K
    >>> K.flatten(K.ones((2, 3))).shape
    TensorShape([6])
    """
    return shaping.reshape(x, [-1])


def batch_flatten(x: Any) -> Any:
    """Return the values of each row in one row: (b, ...) -> (b, n)"""
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def expand_dims(x: TensorLike, axis: int = -1) -> Any:
    """Return `x` with a new axis of size 1."""
    return shaping.expand_dims(x, axis)


def squeeze(x: TensorLike, axis: int) -> Any:
    """Return `x` without an axis of size 1."""
    return shaping.squeeze(x, [axis])


def transpose(x: TensorLike) -> Any:
    """Return `x` with its axes in reversed order."""
    return shaping.transpose(x)


def permute_dimensions(x: TensorLike, pattern: Sequence[int]) -> Any:
    """Return `x` with its axes in the order `pattern`."""
    return shaping.transpose(x, pattern)


def concatenate(tensors: Sequence[TensorLike], axis: int = -1) -> Any:
    """Return tensors joined along an axis, the last by default."""
    return shaping.concat(tensors, axis)


def stack(x: Sequence[TensorLike], axis: int = 0) -> Any:
    """Return tensors of one shape joined along a new axis."""
    return shaping.stack(x, axis)


def reverse(x: TensorLike, axes: int | Sequence[int]) -> Any:
    """Return `x` with the order along the axes turned round."""
    return shaping.reverse(x, [axes] if isinstance(axes, int) else axes)


def tile(x: TensorLike, n: int | Sequence[int]) -> Any:
    """Return `x` repeated `n` times along each axis."""
    return shaping.tile(x, [n] if isinstance(n, int) else n)


def repeat(x: Any, n: int) -> Any:
    """Return each row `n` times, along a new axis: (b, d) -> (b, n, d)"""
    if len(x.shape) != 2:
        raise ValueError(f"`repeat` takes a tensor of 2 axes; received shape {tuple(x.shape)}.")
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: TensorLike, rep: int, axis: int) -> Any:
    """Return `x` with each slice along an axis repeated `rep` times."""
    return ops.repeat(x, rep, axis=axis)


def one_hot(indices: TensorLike, num_classes: int) -> Any:
    """Return rows with 1 at each index and 0 elsewhere: (...) -> (..., num_classes)"""
    return creation.one_hot(indices, num_classes)


def stop_gradient(variables: Any) -> Any:
    """Return the values as constants to gradients; of a list or tuple one by one."""
    if isinstance(variables, (list, tuple)):
        return map(shaping.stop_gradient, variables)
    return shaping.stop_gradient(variables)


def _margins(margins: Iterable[Pair], data_format: str) -> list[list[int]]:
    spatial = [list(each) for each in margins]
    if data_format == "channels_first":
        return [[0, 0], [0, 0], *spatial]
    return [[0, 0], *spatial, [0, 0]]


def _check_pairs(padding: Any, count: int) -> None:
    if len(padding) != count or any(len(each) != 2 for each in padding):
        raise ValueError(f"`padding` is {count} pairs (before, after); received {padding}.")


def temporal_padding(x: TensorLike, padding: Pair = (1, 1)) -> Any:
    """Return `x` with zeros before and after along time: (b, t, d) -> (b, before + t + after, d)"""
    _check_pairs([padding], 1)
    return shaping.pad(x, _margins([padding], "channels_last"))


def spatial_2d_padding(
    x: TensorLike, padding: Sequence[Pair] = ((1, 1), (1, 1)), data_format: Format = None
) -> Any:
    """Return images with zeros around them: (before, after) for height and width."""
    _check_pairs(padding, 2)
    return shaping.pad(x, _margins(padding, data_format_of(data_format)))


def spatial_3d_padding(
    x: TensorLike, padding: Sequence[Pair] = ((1, 1), (1, 1), (1, 1)), data_format: Format = None
) -> Any:
    """Return volumes with zeros around them: (before, after) for depth, height and width."""
    _check_pairs(padding, 3)
    return shaping.pad(x, _margins(padding, data_format_of(data_format)))


def resize_images(
    x: TensorLike,
    height_factor: int,
    width_factor: int,
    data_format: str,
    interpolation: str = "nearest",
) -> Any:
    """Return images enlarged by whole factors."""
    if interpolation not in ("nearest", *METHODS):
        raise ValueError(
            f"`interpolation` is one of nearest, {', '.join(METHODS)}; received {interpolation!r}."
        )
    layout = data_format_of(data_format)
    last = ops.transpose(x, (0, 2, 3, 1)) if layout == "channels_first" else x
    found = upsample(last, (height_factor, width_factor), "channels_last", interpolation)
    return ops.transpose(found, (0, 3, 1, 2)) if layout == "channels_first" else found


def resize_volumes(
    x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: str
) -> Any:
    """Return volumes enlarged by whole factors, each element repeated."""
    factors = (depth_factor, height_factor, width_factor)
    return upsample(x, factors, data_format_of(data_format))
