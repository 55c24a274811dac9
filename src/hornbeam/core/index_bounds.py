"""Indices that lie beyond an axis: an error where they are known.

JAX reads the nearest element, or a value that means nothing, where an index is too large. Whoever writes `t[5]` wants to be
told. Indices are checked where their values lie on the host already, or on a CPU, and are not too many; in a compiled
program they are not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import numpy as np
from jax.core import Tracer

from hornbeam.core.error_types import invalid, out_of_bounds

if TYPE_CHECKING:
    from hornbeam.core.typing import NumpyArray

_MOST = 1_000_000


def check_key(shape: Sequence[Any], key: object) -> None:
    """Raise an error where an integer in `x[key]` lies beyond its axis. Sizes that are None allow any."""
    kind = type(key)
    if kind is slice or key is None:
        return
    if isinstance(key, int) and kind is int:
        _check_integer(shape, 0, key)
        return
    axis = 0
    keys = cast("tuple[Any, ...]", key) if isinstance(key, tuple) else (key,)
    for place, each in enumerate(keys):
        if each is None:
            continue
        if each is Ellipsis:
            axis = len(shape) - sum(map(_axes, keys[place + 1 :]))
            continue
        if isinstance(each, int) and not isinstance(each, bool):
            _check_integer(shape, axis, each)
        elif not isinstance(each, slice):
            _check_array(shape, axis, each)
        axis += _axes(each)


def _axes(key: Any) -> int:
    """Return the number of axes that a part of a key takes up."""
    if key is None or isinstance(key, bool):
        return 0
    dtype = getattr(key, "dtype", None)
    return key.ndim if dtype is not None and dtype == "bool" else 1


def _check_integer(shape: Sequence[Any], axis: int, index: int) -> None:
    if axis >= len(shape) or (size := shape[axis]) is None:  # too many axes are told by the op
        return
    if not -size <= index < size:
        raise out_of_bounds(
            f"slice index {index} of dimension {axis} out of bounds: its size is {size}. [Op:StridedSlice]",
        )


def _check_array(shape: Sequence[Any], axis: int, key: Any) -> None:
    if isinstance(key, (str, bytes, float)):
        raise invalid(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are "
            f"valid indices, got {key!r}"
        )
    found = known_indices(key)
    if found is None or axis >= len(shape) or (size := shape[axis]) is None:
        return
    if found.size and not (-size <= found.min() and found.max() < size):
        worst = found[(found < -size) | (found >= size)].flat[0]
        _check_integer(shape, axis, int(worst))


def known_indices(indices: Any) -> NumpyArray | None:
    """Return integer indices as a NumPy array; None where they are not known, are many or lie on another device."""
    if isinstance(indices, (list, tuple, range)):
        found = np.asarray(indices)
    else:
        raw = getattr(indices, "_value", indices)  # of tensors; variables are read
        if hasattr(raw, "read_raw"):
            raw = raw.read_raw()
        if isinstance(raw, Tracer) or not isinstance(raw, (jax.Array, np.ndarray, np.generic, int)):
            return None
        if isinstance(raw, jax.Array) and (raw.size > _MOST or jax.default_backend() != "cpu"):
            return None
        found = np.asarray(raw)
    return found if found.dtype.kind in "iu" and found.size <= _MOST else None


def check_indices(indices: Any, size: Any, op: str) -> None:
    """Raise an error where one of `indices` is negative, or lies beyond an axis of the size."""
    found = known_indices(indices)
    if found is None or not found.size or not isinstance(size, int):
        return
    if found.min() < 0 or found.max() >= size:
        place = tuple(map(int, np.argwhere((found < 0) | (found >= size))[0]))
        where = f"[{','.join(map(str, place))}]" if place else ""
        raise out_of_bounds(f"indices{where} = {found[place]} is not in [0, {size}) [Op:{op}]")


def check_places(indices: Any, shape: Sequence[Any], op: str, batch_dims: int = 0) -> None:
    """Raise an error where a row of `indices` names no place in an array of the shape."""
    found = known_indices(indices)
    if found is None or not found.size or not found.ndim:
        return
    sizes = list(shape[batch_dims : batch_dims + found.shape[-1]])
    if len(sizes) != found.shape[-1] or not all(isinstance(size, int) for size in sizes):
        return
    wrong = np.argwhere(((found < 0) | (found >= np.array(sizes))).any(-1))
    if len(wrong):
        place = tuple(map(int, wrong[0]))
        where = f"[{','.join(map(str, place))}]" if place else ""
        inside = f"[{','.join(map(str, shape[batch_dims:]))}]"
        raise out_of_bounds(
            f"indices{where} = {found[place].tolist()} does not index into shape {inside} [Op:{op}]",
        )
