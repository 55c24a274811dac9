"""The same values in another form; several tensors as one and one as several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core import host
from hornbeam.core.dtypes import canonical
from hornbeam.core.error_types import invalid
from hornbeam.core.tensor import unwrap
from hornbeam.core.typing import TensorLike
from hornbeam.ops.special import add_n, clipping_scale
from hornbeam.ops.statistics import sorting_indices
from hornbeam.tensors.argument_checks import check_length


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _with_strings(values: Any) -> Any:
    """Return a list of tensors with tensors in place of texts and lists of texts."""
    if isinstance(values, (list, tuple)) and any(map(host.is_text, values)):
        return [host.strings(each) if host.is_text(each) else each for each in values]
    return values


def _of_one_type(values: Any) -> Any:
    """Return NumPy arrays of floats in the type of the first one, as TensorFlow takes them; anything else as it is."""
    if not (isinstance(values, (list, tuple)) and values and isinstance(values[0], np.ndarray)):
        return values
    arrays: list[Any] = list(values)
    kind = arrays[0].dtype
    if kind.kind != "f" or not all(isinstance(each, np.ndarray) for each in arrays):
        return arrays
    return [each.astype(kind) if each.dtype.kind == "f" else each for each in arrays]


def _text(value: Any) -> Any:
    return host.strings(value) if host.is_text(value) else value


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """The values in another type.

    >>> import hornbeam as tf
    >>> tf.cast([1.8, 2.2], tf.int32).numpy()
    array([1, 2], dtype=int32)
    """
    return ops.cast(_text(x), dtype)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """`cast` that clips to what the type can hold."""
    return ops.saturate_cast(value, dtype)


def bitcast(input: Any, type: Any, name: str | None = None) -> Any:
    """The bits read as another type."""
    return ops.view(input, canonical(type).name)


def identity(input: Any, name: str | None = None) -> Any:
    """The same values."""
    return ops.copy(input)


def identity_n(input: Sequence[TensorLike], name: str | None = None) -> list[Any]:
    """Return a list with the same values."""
    return [ops.copy(each) for each in input]


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The same values, a constant to gradients."""
    return ops.stop_gradient(input)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The values in another shape; one size may be -1.

    >>> import hornbeam as tf
    >>> tf.reshape(tf.range(6), [2, -1]).numpy()
    array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    sizes = unwrap(shape)
    if isinstance(sizes, np.ndarray):
        sizes = sizes.tolist()
    if not isinstance(sizes, (list, tuple)):
        sizes = np.atleast_1d(np.asarray(sizes)).tolist()
    return ops.reshape(tensor, tuple(int(unwrap(each)) for each in sizes))


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Any:
    """The axes in the order `perm`, reversed by default."""
    swapped = ops.transpose(a, None if perm is None else tuple(int(p) for p in np.asarray(perm)))
    return ops.conj(swapped) if conjugate else swapped


def expand_dims(input: Any, axis: int, name: str | None = None) -> Any:
    """A new axis of size 1."""
    return ops.expand_dims(input, axis)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Axes of size 1 left out."""
    return ops.squeeze(input, _axes(axis))


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """The values repeated to fill `shape`."""
    return ops.broadcast_to(_text(input), tuple(int(each) for each in np.asarray(unwrap(shape))))


def concat(values: Any, axis: int, name: str = "concat") -> Any:
    """Tensors joined along an axis."""
    return ops.concatenate(_of_one_type(_with_strings(values)), axis=int(axis))


def stack(values: Any, axis: int = 0, name: str = "stack") -> Any:
    """Tensors of one shape joined along a new axis."""
    return ops.stack(_of_one_type(_with_strings(values)), axis=axis)


def parallel_stack(values: Sequence[TensorLike], name: str = "parallel_stack") -> Any:
    """Return tensors of one shape joined along a new first axis, as `stack`."""
    return ops.stack(values)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> Any:
    """The slices along an axis, as a list."""
    return list(ops.unstack(value, num, axis))


def split(
    value: Any, num_or_size_splits: Any, axis: int = 0, num: int | None = None, name: str = "split"
) -> Any:
    """Equal parts along an axis, or parts of given sizes (one may be -1)."""
    length = value.shape[axis] if hasattr(value, "shape") else np.shape(value)[axis]
    if np.ndim(unwrap(num_or_size_splits)) == 0:
        parts = int(num_or_size_splits)
        if length % parts:
            raise invalid(
                f"{length} elements on axis {axis} can't be split into {parts} equal parts."
            )
        return list(ops.split(value, parts, axis=axis))
    sizes = [int(each) for each in np.asarray(unwrap(num_or_size_splits))]
    if -1 in sizes:
        sizes[sizes.index(-1)] = length - sum(each for each in sizes if each != -1)
    if sum(sizes) != length:
        raise invalid(f"Parts of sizes {sizes} don't make up {length} elements on axis {axis}.")
    return list(ops.split(value, tuple(np.cumsum(sizes)[:-1].tolist()), axis=axis))


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """The tensor repeated along each axis."""
    times = tuple(int(each) for each in np.asarray(unwrap(multiples)))
    check_length("tf.tile", "multiples", times, input)
    for place, each in enumerate(times):
        if each < 0:
            raise invalid(f"Expected multiples[{place}] >= 0, but got {each} [Op:Tile]")
    return ops.tile(input, times)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element repeated."""
    return ops.repeat(_text(input), repeats, axis=axis)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """The order along the axes turned round."""
    return ops.flip(tensor, _axes(axis))


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """The elements moved along an axis, what falls off comes in at the other end."""
    return ops.roll(input, _axes(shift), _axes(axis))


def meshgrid(*args: Any, indexing: str = "xy", name: str | None = None) -> Any:
    """Coordinates of a grid."""
    return list(ops.meshgrid(*args, indexing=indexing))


_MODES = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Any:
    """The tensor with a margin: `paddings` has (before, after) for each axis."""
    if mode.upper() not in _MODES:
        raise ValueError(f"`mode` is one of {', '.join(_MODES)}; received {mode!r}.")
    widths = tuple(tuple(map(int, pair)) for pair in np.asarray(unwrap(paddings)))
    check_length("tf.pad", "paddings", widths, tensor)
    constant = {"constant_values": constant_values} if mode.upper() == "CONSTANT" else {}
    return ops.pad(tensor, widths, mode=_MODES[mode.upper()], **constant)


def _is_descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"`direction` is 'ASCENDING' or 'DESCENDING'; received {direction!r}.")
    return direction == "DESCENDING"


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """The values in order."""
    found = ops.sort(values, axis)
    return ops.flip(found, axis) if _is_descending(direction) else found


def argsort(
    values: Any,
    axis: int = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Any:
    """The places of the values in order."""
    return sorting_indices(values, axis, _is_descending(direction))


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Values below the least and above the greatest replaced by these."""
    return ops.clip(t, clip_value_min, clip_value_max)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """The tensor scaled down so that its Euclidean norm is at most `clip_norm`."""
    total = ops.sum(ops.square(t), _axes(axes), keepdims=True)
    is_zero = ops.equal(total, 0)  # whose square root has no slope
    norm = ops.where(is_zero, total, ops.sqrt(ops.where(is_zero, ops.ones_like(total), total)))
    return ops.multiply(t, ops.divide(clip_norm, ops.maximum(norm, clip_norm)))


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """The Euclidean norm of all elements of all tensors."""
    return ops.sqrt(add_n([ops.sum(ops.square(t)) for t in t_list if t is not None]))


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """The tensors scaled down together so that their global norm is at most `clip_norm`; and that norm."""
    t_list = list(t_list)
    norm = global_norm(t_list) if use_norm is None else use_norm
    scale = clipping_scale(norm, clip_norm)
    return [None if t is None else t * scale for t in t_list], norm
