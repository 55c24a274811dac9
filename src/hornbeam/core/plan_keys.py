"""What tells the call of an op from others: its structure and all arguments that are not arrays.

A key tells 1, 1.0 and True apart, and 0.0 from -0.0; NaN equals itself. Sizes, as `tf.shape` returns them, are part of a
key: bodies need them as numbers.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

from hornbeam.core.dtypes import DType
from hornbeam.core.shapes import TensorShape
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from hornbeam.core.typing import Box, TreeDef

# Elements of a list, or of sizes, that a key may hold.
_MOST_ELEMENTS = 64

# What the type of an argument says about it.
_TENSOR, _ARRAY, _WEIGHT, _NUMPY, _STATIC, _FLOAT, _COMPLEX, _SEQUENCE, _SLICE, _OTHER = range(
    1, 11
)
_kinds: dict[type[Any], int] = {
    Tensor: _TENSOR,
    Variable: _WEIGHT,
    np.ndarray: _NUMPY,
    float: _FLOAT,
    complex: _COMPLEX,
    tuple: _SEQUENCE,
    list: _SEQUENCE,
    TensorShape: _SEQUENCE,
    slice: _SLICE,
    **dict.fromkeys((int, bool, str, type(None), EllipsisType, DType), _STATIC),
}
# `type`, of which the checker knows that it returns a class.
_class_of: Callable[[object], type[Any]] = type
# Stands in a key for an array.
_AN_ARRAY = jax.Array
_BOXES = (Tensor, Variable, KerasTensor)


def is_box(value: object) -> TypeIs[Box]:
    """Return whether `value` is a tensor, a variable, what stands for a variable, or a symbolic tensor."""
    return isinstance(value, _BOXES) or is_weight(value)


def _kind_of(kind: type[Any]) -> int:
    """Return what an argument of a type is, and remember it."""
    if issubclass(kind, Tensor):
        found = _TENSOR
    elif issubclass(kind, (Tracer, KerasTensor)):
        found = _OTHER
    elif issubclass(kind, jax.Array):
        found = _ARRAY
    elif hasattr(kind, "read_raw"):
        found = _WEIGHT
    elif issubclass(kind, np.inexact):
        found = _ARRAY
    elif issubclass(kind, (np.dtype, np.integer, np.bool_, type)):
        found = _STATIC
    else:
        return _OTHER  # classes of users' are not kept alive
    _kinds[kind] = found
    return found


def scan(values: Sequence[Any], key: list[Any], arrays: list[Any]) -> bool:
    """Add what identifies `values` to `key`, and the arrays among them to `arrays`.

    Return False where there is no plan for them: tracers, symbolic tensors, functions, and whatever else is unknown.
    """
    for value in values:
        of = _class_of(value)
        kind = _kinds.get(of)
        if kind is None:
            kind = _kind_of(of)
        if kind is _TENSOR or kind is _WEIGHT:
            raw = value._value if kind is _TENSOR else value.read_raw()
            of = _class_of(raw)
            if (_kinds.get(of) or _kind_of(of)) is _ARRAY:
                arrays.append(raw)
                key.append(_AN_ARRAY)
            elif of is np.ndarray and raw.size <= _MOST_ELEMENTS:
                # Sizes, which bodies need as numbers.
                key += (np.ndarray, raw.shape, raw.dtype, raw.tobytes())
            else:
                return False
        elif kind is _STATIC:
            key += (of, value)
        elif kind is _FLOAT:
            # As a text -0.0 is another than 0.0, and NaN equals NaN.
            key += (of, value if value and value == value else repr(value))
        elif kind is _COMPLEX:
            key += (of, repr(value))
        elif kind is _ARRAY:
            arrays.append(value)
            key.append(_AN_ARRAY)
        elif kind is _SEQUENCE:
            if len(value) > _MOST_ELEMENTS:
                return False
            key += (of, len(value))
            if not scan(value, key, arrays):
                return False
        elif kind is _NUMPY and value.dtype.kind in "biufcV":
            arrays.append(np.array(value))  # the user may write into it before JAX has read it
            key.append(_AN_ARRAY)
        elif kind is _SLICE:
            key.append(of)
            count = len(arrays)
            if not scan((value.start, value.stop, value.step), key, arrays) or len(arrays) > count:
                return False
        else:
            return False
    return True


def is_array(leaf: object) -> bool:
    """Return whether `scan` takes a leaf of the arguments for an array."""
    if isinstance(leaf, Tensor):
        return isinstance(leaf._value, jax.Array)
    return isinstance(leaf, (jax.Array, np.ndarray, np.inexact)) or is_weight(leaf)


def is_raw_array(value: object) -> bool:
    """Return whether `value` is a JAX array and no tracer."""
    of = _class_of(value)
    return (_kinds.get(of) or _kind_of(of)) is _ARRAY


def loose_key(
    head: Sequence[object], leaves: list[Any], tree: TreeDef, places: Collection[int]
) -> tuple[Any, ...]:
    """Return the key of calls whose leaves at `places` may be any number of the same type, or any array."""
    key = [*head, tree]
    for place, leaf in enumerate(leaves):
        of = _class_of(leaf)
        if place not in places:
            scan((leaf,), key, [])
        else:
            key.append(of if of in (int, float) else _AN_ARRAY)
    return tuple(key)
