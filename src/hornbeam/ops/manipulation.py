"""Shapes and places: nothing is computed, elements move."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from hornbeam.core.arithmetic import getitem, operand
from hornbeam.core.errors import unknown_name
from hornbeam.core.jax_typed import pad as pad_of
from hornbeam.core.jax_typed import reshape as reshaped
from hornbeam.core.op import op
from hornbeam.core.origins import hand_on
from hornbeam.core.shapes import as_axis
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.ops.common import array, row_numbers

__all__ = [
    "append",
    "array_split",
    "broadcast_to",
    "concatenate",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "get_item",
    "hsplit",
    "hstack",
    "moveaxis",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "take_along_axis",
    "tile",
    "transpose",
    "unravel_index",
    "unstack",
    "vsplit",
    "vstack",
]

Sections = int | Sequence[int]
_PAD_MODES = (
    "constant",
    "edge",
    "empty",
    "linear_ramp",
    "maximum",
    "mean",
    "median",
    "minimum",
    "reflect",
    "symmetric",
    "wrap",
)


@op
def reshape(x: TensorLike, newshape: int | Sequence[int | None]) -> jax.Array:
    """Return the same elements, in row-major order, in another shape; one size may be -1.

    A None keeps the size that x has in that place: what `ops.shape(x)` of a symbolic tensor holds
    may be put in.

    >>> from hornbeam.keras import ops
    >>> ops.reshape(ops.arange(6), (2, -1)).shape
    TensorShape([2, 3])
    """
    x = array(x)
    if isinstance(newshape, int):
        return _reshaped(x, reshaped(x, newshape))
    sizes = [x.shape[i] if n is None else n for i, n in enumerate(newshape)]
    return _reshaped(x, reshaped(x, sizes))


def _reshaped(x: jax.Array, y: jax.Array) -> jax.Array:
    """Return y, the elements of x in another shape: of probabilities, the logits go with them."""
    return hand_on(x, y, lambda origin: origin.reshaped(y.shape))


@op
def ravel(x: TensorLike) -> jax.Array:
    """Return all elements in one axis."""
    x = array(x)
    return _reshaped(x, jnp.ravel(x))


@op
def squeeze(x: TensorLike, axis: Axis = None) -> jax.Array:
    """Return x without its axes of size 1, or without the given ones."""
    x = array(x)
    return _reshaped(x, jnp.squeeze(x, axis=as_axis(axis)))


@op
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> jax.Array:
    """Return x with an axis of size 1 put in, so that it stands at `axis` in the result."""
    x = array(x)
    return _reshaped(x, jnp.expand_dims(x, as_axis(axis)))


@op
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> jax.Array:
    """Return the axes in another order; None reverses them."""
    x = array(x)
    order = tuple(reversed(range(x.ndim)) if axes is None else axes)
    y = jnp.transpose(x, order)
    return hand_on(x, y, lambda origin: origin.transposed([axis % x.ndim for axis in order]))


@op
def moveaxis(
    x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> jax.Array:
    """Return x with some axes moved to other places, the rest in their old order."""
    return jnp.moveaxis(array(x), source, destination)


@op
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> jax.Array:
    """Return x with two axes exchanged."""
    return jnp.swapaxes(array(x), axis1, axis2)


@op
def broadcast_to(x: TensorLike, shape: Sequence[int]) -> jax.Array:
    """Return x repeated along axes of size 1 and new leading axes until it has `shape`."""
    return jnp.broadcast_to(array(x), tuple(shape))


@op
def flip(x: TensorLike, axis: Axis = None) -> jax.Array:
    """Return x in reverse order along the axes; None: all of them."""
    return jnp.flip(array(x), axis=as_axis(axis))


@op
def fliplr(x: TensorLike) -> jax.Array:
    """Return x with its second axis reversed (left and right)."""
    return jnp.fliplr(array(x))


@op
def flipud(x: TensorLike) -> jax.Array:
    """Return x with its first axis reversed (up and down)."""
    return jnp.flipud(array(x))


@op
def roll(x: TensorLike, shift: TensorLike, axis: Axis = None) -> jax.Array:
    """Return x moved by `shift` places along an axis; what falls off the end comes in at the start."""
    return jnp.roll(array(x), operand(shift), axis)


@op
def rot90(array: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> jax.Array:
    """Turn by 90 degrees k times, from the first of `axes` towards the second."""
    return jnp.rot90(jnp.asarray(array), k, (axes[0], axes[1]))


@op
def concatenate(xs: Sequence[TensorLike], axis: int | None = 0) -> jax.Array:
    """Join the inputs one after the other along an axis that they have.

    >>> from hornbeam.keras import ops
    >>> print(ops.concatenate([[1, 2], [3]]).numpy())
    [1 2 3]
    """
    return jnp.concatenate([array(x) for x in xs], axis=axis)


@op
def stack(x: Sequence[TensorLike], axis: int = 0) -> jax.Array:
    """Join the inputs one after the other along a new axis.

    >>> from hornbeam.keras import ops
    >>> ops.stack([[1, 2], [3, 4], [5, 6]], axis=1).shape
    TensorShape([2, 3])
    """
    return jnp.stack([array(each) for each in x], axis=axis)


@op
def hstack(xs: Sequence[TensorLike]) -> jax.Array:
    """Join the inputs one after the other along the second axis (1D: the first)."""
    return jnp.hstack([array(x) for x in xs])


@op
def vstack(xs: Sequence[TensorLike]) -> jax.Array:
    """Join the inputs one after the other along the first axis; 1D inputs are rows."""
    return jnp.vstack([array(x) for x in xs])


@op
def dstack(xs: Sequence[TensorLike]) -> jax.Array:
    """Join the inputs one after the other along the third axis."""
    return jnp.dstack([array(x) for x in xs])


@op
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> jax.Array:
    """Put x2 after x1 along an axis; None: both flattened."""
    return jnp.append(array(x1), array(x2), axis=axis)


def _sections(value: Sections) -> int | tuple[int, ...]:
    return value if isinstance(value, int) else tuple(value)


@op
def split(x: TensorLike, indices_or_sections: Sections, axis: int = 0) -> list[jax.Array]:
    """Return a list of parts: so many of equal size, or cut before the given indices.

    >>> from hornbeam.keras import ops
    >>> [part.numpy().tolist() for part in ops.split(ops.arange(6), [1, 3])]
    [[0], [1, 2], [3, 4, 5]]
    """
    return jnp.split(array(x), _sections(indices_or_sections), axis=axis)


@op
def array_split(x: TensorLike, indices_or_sections: Sections, axis: int = 0) -> list[jax.Array]:
    """Divide as `split` does, but the parts may differ in size by one."""
    return jnp.array_split(array(x), _sections(indices_or_sections), axis=axis)


@op
def hsplit(x: TensorLike, indices_or_sections: Sections) -> list[jax.Array]:
    """Apply `split` along the second axis (1D: the first)."""
    return jnp.hsplit(array(x), operand(indices_or_sections))


@op
def vsplit(x: TensorLike, indices_or_sections: Sections) -> list[jax.Array]:
    """Apply `split` along the first axis."""
    return jnp.vsplit(array(x), operand(indices_or_sections))


@op
def dsplit(x: TensorLike, indices_or_sections: Sections) -> list[jax.Array]:
    """Apply `split` along the third axis."""
    return jnp.dsplit(array(x), operand(indices_or_sections))


@op
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[jax.Array]:
    """Return the slices along an axis as a list. Raises ValueError where there are not `num` of them."""
    x = array(x)
    if num is not None and x.shape[axis] != num:
        raise ValueError(
            f"`unstack` expected num={num} slices, but axis {axis} of an input of shape {x.shape} "
            f"has {x.shape[axis]}."
        )
    return list(jnp.unstack(x, axis=axis))


@op
def tile(x: TensorLike, repeats: int | Sequence[int]) -> jax.Array:
    """Repeat x as a whole along each axis: [1, 2] twice is [1, 2, 1, 2]."""
    return jnp.tile(array(x), repeats)


@op
def repeat(x: TensorLike, repeats: TensorLike, axis: int | None = None) -> jax.Array:
    """Repeat each element along an axis: [1, 2] twice is [1, 1, 2, 2]; None: of the flattened x."""
    return jnp.repeat(array(x), operand(repeats), axis)


@op
def pad(
    x: TensorLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: TensorLike | None = None,
) -> jax.Array:
    """Return x with elements put before and after each axis.

    `pad_width` is a number for all sides, a pair (before, after) for all axes, or one pair per axis;
    `mode` is "constant" (0, or `constant_values`), "reflect", "symmetric", "edge" or another of
    NumPy's.

    >>> from hornbeam.keras import ops
    >>> print(ops.pad([1, 2], (1, 0), constant_values=9).numpy())
    [9 1 2]
    """
    if mode not in _PAD_MODES:
        raise unknown_name("mode of `pad`", mode, _PAD_MODES)
    if constant_values is None:
        return pad_of(array(x), pad_width, mode)
    if mode != "constant":
        raise ValueError(
            f"`constant_values` is only for mode='constant'; received constant_values="
            f"{constant_values!r} with mode={mode!r}."
        )
    return pad_of(array(x), pad_width, mode, constant_values=constant_values)


@op
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> jax.Array:
    """Return the slices of x at `indices` along an axis; None: elements of the flattened x.

    Negative indices count from the end. Compiled code can't raise, so for an index out of range the result is
    NaN (the least value for integers), never some other element.

    >>> from hornbeam.keras import ops
    >>> print(ops.take([10.0, 20.0], [1, -1, 2]).numpy())
    [20. 20. nan]
    """
    return jnp.take(array(x), row_numbers(indices), axis=axis, mode="fill")


@op
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> jax.Array:
    """Return the elements at the given indices along the axis, one index for each place, as `argsort` returns them.

    For an index out of range the result is NaN (the least value for integers).
    """
    return jnp.take_along_axis(array(x), array(indices), axis=axis, mode="fill")


@op
def unravel_index(indices: TensorLike, shape: Sequence[int]) -> tuple[jax.Array, ...]:
    """Return indices into a flattened array of `shape` as one index per axis."""
    return tuple(jnp.unravel_index(array(indices), tuple(shape)))


get_item = getitem


@op
def joined_masks(xs: list[TensorLike], masks: list[TensorLike | None], axis: int) -> jax.Array:
    """Return the mask of `concatenate(xs, axis)`, of all axes but the last"""
    full: list[jax.Array] = []
    for each, mask in zip(xs, masks, strict=True):
        x = array(each)
        kept = jnp.asarray(True if mask is None else mask)
        kept = kept.reshape(*kept.shape, *[1] * (x.ndim - kept.ndim))
        full.append(jnp.broadcast_to(kept, x.shape))
    return jnp.any(jnp.concatenate(full, axis=axis), axis=-1)
