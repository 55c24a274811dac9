"""NumPy bodies of ops that move elements or make known ones: calls of new shapes are computed without compiling.

XLA compiles a program for each shape, which takes 10 to 300 ms. A loop over slices that grow would do so in every turn. NumPy
makes the same bits of these ops in microseconds, so their plans are compiled only for shapes that come again (`core.plans`).

A body takes what the op takes, arrays as NumPy's. It returns None where it does not do the very same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import jax
import numpy as np

from hornbeam.core import wide
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import canonical
from hornbeam.core.placing import is_tracing
from hornbeam.core.typing import NumpyArray, TreeDef

HostBody: TypeAlias = Callable[..., Any]

_EXACT_PADS = frozenset({"constant", "edge", "reflect", "symmetric", "wrap"})


class _Elsewhere(Exception):
    """An argument does not lie where NumPy can read it and JAX would put the result."""


def call(body: HostBody, leaves: Sequence[Any], tree: TreeDef) -> Any:
    """Return what `body` makes of the arguments, as JAX arrays; None where the op's own body is to be called."""
    if is_tracing():
        return None  # the program of other code would lose the operation
    try:
        args, kwargs = jax.tree.unflatten(tree, list(map(_on_host, leaves)))
        found = body(*args, **kwargs)
    except Exception:  # the op's own body tells what is wrong
        return None
    if found is None:
        return None
    if not isinstance(found, list):
        return _placed(found)
    parts = cast("list[NumpyArray]", found)
    return list(map(_placed, parts))


def _on_host(leaf: Any) -> Any:
    if not isinstance(leaf, jax.Array):
        return leaf
    first: Any = cast("Any", jax).devices()[0]
    if leaf.weak_type or leaf.devices() != {first} or _platform() != "cpu":
        raise _Elsewhere
    return np.asarray(leaf)


def _platform() -> str:
    """Return where JAX puts arrays; "" where the user has chosen a device."""
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    return jax.default_backend() if chosen is None else ""


def _placed(array: Any) -> jax.Array:
    """Return a NumPy array as a JAX array with memory of its own."""
    array = np.asarray(array)
    return wide.on_device(array if array.flags.owndata else np.array(array))


def _join(join: Callable[..., NumpyArray]) -> HostBody:
    def body(xs: Sequence[Any], axis: int | None = 0) -> NumpyArray | None:
        arrays = list(map(_array, xs))
        return join(arrays, axis=axis) if len({each.dtype for each in arrays}) == 1 else None

    return body


def _array(x: Any) -> NumpyArray:
    """Return an argument that is an array already; what is not may have a type of its own."""
    if not isinstance(x, np.ndarray):
        raise _Elsewhere
    return cast("NumpyArray", x)


def _get_item(x: NumpyArray, key: Any) -> NumpyArray:
    return _array(x)[_key(key)]


def _key(key: Any) -> tuple[Any, ...]:
    """Return the key of an item; lists, which the op refuses, are NumPy's."""
    parts = cast("tuple[Any, ...]", key if isinstance(key, tuple) else (key,))
    if any(isinstance(each, list) for each in parts):
        raise _Elsewhere
    return parts


def _reshape(x: NumpyArray, newshape: Any) -> NumpyArray:
    sizes = newshape if isinstance(newshape, int) else list(newshape)
    return _array(x).reshape(sizes)


def _tile(x: NumpyArray, repeats: int | Sequence[int]) -> NumpyArray:
    return cast("Any", np).tile(_array(x), repeats)


def _repeat(x: NumpyArray, repeats: Any, axis: int | None = None) -> NumpyArray:
    return np.repeat(_array(x), repeats, axis)


def _pad(
    x: NumpyArray, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> NumpyArray | None:
    if mode not in _EXACT_PADS or (mode != "constant" and constant_values is not None):
        return None
    if constant_values is None:
        return np.pad(_array(x), pad_width, mode)
    fits = type(constant_values) is int or (x.dtype.kind == "f" and type(constant_values) is float)
    return np.pad(x, pad_width, constant_values=constant_values) if fits else None


def _split(x: NumpyArray, indices_or_sections: Any, axis: int = 0) -> list[NumpyArray]:
    return np.split(_array(x), indices_or_sections, axis)


def _expand_dims(x: NumpyArray, axis: Any) -> NumpyArray:
    return np.expand_dims(_array(x), axis)


def _squeeze(x: NumpyArray, axis: Any = None) -> NumpyArray:
    return np.squeeze(_array(x), axis)


def _transpose(x: NumpyArray, axes: Any = None) -> NumpyArray:
    return np.transpose(_array(x), axes)


def _broadcast_to(x: NumpyArray, shape: Sequence[int]) -> NumpyArray:
    return np.broadcast_to(_array(x), tuple(shape))


def _with_item(x: NumpyArray, key: Any, value: Any) -> NumpyArray:
    found = _array(x).copy()
    found[_key(key)] = _values(value, x.dtype)
    return found


def _scattered(tensor: NumpyArray, indices: Any, updates: Any) -> NumpyArray | None:
    places: NumpyArray = np.asarray(indices)
    if places.dtype.kind not in "iu" or not places.size or places.min() < 0:
        return None
    found = _array(tensor).copy()
    found[tuple(np.moveaxis(places, -1, 0))] = _values(updates, tensor.dtype)
    return found


def _values(value: Any, dtype: np.dtype[Any]) -> NumpyArray:
    """Return what is written into an array of a type, where nothing is lost on the way."""
    found: NumpyArray = np.asarray(value)
    if found.dtype != dtype and (isinstance(value, np.ndarray) or found.dtype.kind != dtype.kind):
        raise _Elsewhere
    return found


def _gather(params: NumpyArray, indices: Any, axis: int, batch_dims: int) -> NumpyArray | None:
    return _take(params, indices, axis) if batch_dims == 0 else None


def _take(x: NumpyArray, indices: Any, axis: int | None = None) -> NumpyArray | None:
    places: NumpyArray = np.asarray(indices)
    size = _array(x).size if axis is None else x.shape[axis]
    inside = places.dtype.kind in "iu" and places.size and places.min() >= 0 and places.max() < size
    return np.take(x, places, axis) if inside else None


def _one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> NumpyArray | None:
    classes: NumpyArray = np.asarray(x)
    if sparse or axis != -1 or classes.dtype.kind not in "iu":
        return None
    return (classes[..., None] == np.arange(num_classes)).astype(_float_type(dtype))


def _float_type(dtype: Any) -> Any:
    return canonical(floatx() if dtype is None else dtype)


def _zeros(shape: Any, dtype: Any = None) -> NumpyArray:
    return np.zeros(shape, _float_type(dtype))


def _ones(shape: Any, dtype: Any = None) -> NumpyArray:
    return np.ones(shape, _float_type(dtype))


def _eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> NumpyArray:
    return np.eye(N, M, k, _float_type(dtype))


def _identity(n: int, dtype: Any = None) -> NumpyArray:
    return np.eye(n, dtype=_float_type(dtype))


def _tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> NumpyArray:
    return np.tri(N, M, k, _float_type(dtype))


def _arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> NumpyArray | None:
    """Ranges of whole numbers: those of floats round."""
    given = [each for each in (start, stop, step) if each is not None]
    if not all(type(each) is int and wide.fits(each) for each in given) or wide.is_default():
        return None
    kind = canonical("int32" if dtype is None else dtype)
    if kind.kind != "i" or kind.itemsize < 4:
        return None
    return cast("Any", np).arange(start, stop, 1 if step is None else step, kind)


HOST_BODIES: dict[str, HostBody] = {
    "arange": _arange,
    "broadcast_to": _broadcast_to,
    "concatenate": _join(np.concatenate),
    "empty": _zeros,
    "expand_dims": _expand_dims,
    "eye": _eye,
    "gather": _gather,
    "get_item": _get_item,
    "identity": _identity,
    "one_hot": _one_hot,
    "ones": _ones,
    "pad": _pad,
    "repeat": _repeat,
    "reshape": _reshape,
    "split": _split,
    "squeeze": _squeeze,
    "stack": _join(np.stack),
    "take": _take,
    "tensor_scatter_nd_update": _scattered,
    "tf.strided_slice_assign": _with_item,
    "tile": _tile,
    "transpose": _transpose,
    "tri": _tri,
    "zeros": _zeros,
}
