"""The same values in another form, put together, picked and chosen, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.shapes import TensorShape
from hornbeam.core.typing import Axis, TensorLike
from hornbeam.experimental.numpy.elementwise import _refuse
from hornbeam.experimental.numpy.promotion import common, of_a_b, tensor, wide
from hornbeam.tensors.numbers import known_integers

Tensors = Sequence[Any]

dot = of_a_b(ops.dot, "dot")
inner = of_a_b(ops.inner, "inner")
kron = of_a_b(ops.kron, "kron")
outer = of_a_b(ops.outer, "outer")
vdot = of_a_b(ops.vdot, "vdot")


def cross(
    a: TensorLike,
    b: TensorLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Any:
    """Return the cross product of vectors of 2 or 3 elements."""
    x, y = common(a, b)
    return ops.cross(x, y, axisa, axisb, axisc, axis)


def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Any:
    """Return the sum of products over axes of both."""
    x, y = common(a, b)
    return ops.tensordot(x, y, axes)


def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Any:
    """Return sums of products in Einstein's notation."""
    return ops.einsum(subscripts, *common(*operands))


def shape(a: TensorLike) -> TensorShape:
    """Return the shape."""
    return TensorShape(tensor(a).shape)


def size(x: TensorLike, axis: int | None = None) -> Any:
    """Return the number of elements, or that along an axis."""
    sizes = tuple(tensor(x).shape)
    return np.int64(np.prod(sizes)) if axis is None else sizes[axis]


def ndim(a: TensorLike) -> int:
    """Return the number of axes."""
    return len(tensor(a).shape)


def reshape(a: TensorLike, newshape: Any, order: str = "C") -> Any:
    """Return the values in another shape; one size may be -1. `order` "F" counts the first axis fastest.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.reshape([1, 2, 3, 4], (2, 2), order="F").numpy().tolist()
    [[1, 3], [2, 4]]
    """
    sizes = known_integers(newshape)
    if order == "F":
        return ops.transpose(ops.reshape(ops.transpose(tensor(a)), sizes[::-1]))
    if order != "C":
        raise ValueError(f"`order` is 'C' or 'F'; received {order!r}.")
    return ops.reshape(tensor(a), sizes)


def ravel(a: TensorLike) -> Any:
    """Return all values in one row."""
    return ops.ravel(tensor(a))


def flatten(a: TensorLike, order: str = "C") -> Any:
    """Return all values in one row."""
    return reshape(a, -1, order)


def transpose(a: TensorLike, axes: Sequence[int] | None = None) -> Any:
    """Return `a` with its axes in the order `axes`, reversed by default."""
    return ops.transpose(tensor(a), axes)


def moveaxis(a: TensorLike, source: Any, destination: Any) -> Any:
    """Return `a` with some axes moved to other places."""
    return ops.moveaxis(tensor(a), source, destination)


def swapaxes(a: TensorLike, axis1: int, axis2: int) -> Any:
    """Return `a` with two axes swapped."""
    return ops.swapaxes(tensor(a), axis1, axis2)


def expand_dims(a: TensorLike, axis: Any) -> Any:
    """Return `a` with a new axis of size 1."""
    return ops.expand_dims(tensor(a), axis)


def squeeze(a: TensorLike, axis: Axis = None) -> Any:
    """Return `a` without axes of size 1."""
    return ops.squeeze(tensor(a), axis)


def broadcast_to(array: TensorLike, shape: Any) -> Any:
    """Return the values repeated to fill `shape`."""
    return ops.broadcast_to(tensor(array), known_integers(shape))


def broadcast_arrays(*args: TensorLike, **kwargs: Any) -> list[Any]:
    """Return tensors repeated to their common shape."""
    found = [tensor(each) for each in args]
    sizes = np.broadcast_shapes(*(tuple(each.shape) for each in found))
    return [ops.broadcast_to(each, sizes) for each in found]


def _at_least(arrays: tuple[TensorLike, ...], count: int) -> Any:
    found = [_with_axes(tensor(each), count) for each in arrays]
    return found[0] if len(found) == 1 else found


def _with_axes(x: Any, count: int) -> Any:
    axes = len(x.shape)
    if axes >= count:
        return x
    if count == 3 and axes:  # NumPy puts the last new axis behind
        return ops.expand_dims(x, (0, 2) if axes == 1 else 2)
    return ops.expand_dims(x, tuple(range(count - axes)))


def atleast_1d(*arys: TensorLike) -> Any:
    """Return tensors of one axis or more."""
    return _at_least(arys, 1)


def atleast_2d(*arys: TensorLike) -> Any:
    """Return tensors of two axes or more: (n,) -> (1, n)"""
    return _at_least(arys, 2)


def atleast_3d(*arys: TensorLike) -> Any:
    """Return tensors of three axes or more: (n,) -> (1, n, 1), (m, n) -> (m, n, 1)"""
    return _at_least(arys, 3)


def concatenate(arys: Tensors, axis: int | None = 0) -> Any:
    """Return tensors joined along an axis, None: flattened."""
    return ops.concatenate(common(*arys), axis)


def stack(arrays: Tensors, axis: int = 0) -> Any:
    """Return tensors of one shape joined along a new axis."""
    return ops.stack(common(*arrays), axis)


def hstack(tup: Tensors) -> Any:
    """Return tensors joined side by side: along the second axis, vectors along their only one."""
    return ops.hstack(common(*tup))


def vstack(tup: Tensors) -> Any:
    """Return tensors joined on top of each other: along the first axis, vectors as rows."""
    return ops.vstack(common(*tup))


def dstack(tup: Tensors) -> Any:
    """Return tensors joined along the third axis."""
    return ops.dstack(common(*tup))


def append(arr: TensorLike, values: TensorLike, axis: int | None = None) -> Any:
    """Return `values` joined behind `arr` along an axis, None: both flattened."""
    first, second = common(tensor(arr), tensor(values))
    return ops.append(first, second, axis)


def split(ary: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Return equal parts along an axis, or the parts between given places."""
    return list(ops.split(tensor(ary), indices_or_sections, axis))


def hsplit(ary: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Return parts side by side, as `split` along the second axis (of vectors their only one)."""
    return list(ops.hsplit(tensor(ary), indices_or_sections))


def vsplit(ary: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Return parts on top of each other, as `split` along the first axis."""
    return list(ops.vsplit(tensor(ary), indices_or_sections))


def dsplit(ary: TensorLike, indices_or_sections: Any) -> list[Any]:
    """Return parts as `split` along the third axis."""
    return list(ops.dsplit(tensor(ary), indices_or_sections))


def tile(a: TensorLike, reps: Any) -> Any:
    """Return `a` repeated along each axis."""
    return ops.tile(tensor(a), known_integers(reps))


def repeat(a: TensorLike, repeats: Any, axis: int | None = None) -> Any:
    """Return `a` with each element, or each slice along an axis, repeated."""
    return ops.repeat(tensor(a), repeats, axis)


def flip(m: TensorLike, axis: Axis = None) -> Any:
    """Return `m` with the order along axes turned round."""
    return ops.flip(tensor(m), axis)


def fliplr(m: TensorLike) -> Any:
    """Return `m` with its columns in reversed order."""
    return ops.fliplr(tensor(m))


def flipud(m: TensorLike) -> Any:
    """Return `m` with its rows in reversed order."""
    return ops.flipud(tensor(m))


def roll(a: TensorLike, shift: Any, axis: Axis = None) -> Any:
    """Return `a` with elements moved along axes, what falls off comes in at the other end."""
    return ops.roll(tensor(a), shift, axis)


def rot90(m: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Return `m` turned by k right angles in the plane of two axes."""
    return ops.rot90(tensor(m), k, axes)


def pad(array: TensorLike, pad_width: Any, mode: str, **kwargs: Any) -> Any:
    """Return `array` with a margin: (before, after) for each axis; `constant_values` for the mode "constant"."""
    x = tensor(array)
    widths = np.broadcast_to(np.asarray(pad_width), (len(x.shape), 2)).tolist()
    return ops.pad(x, widths, mode, **kwargs)


def diag(v: TensorLike, k: int = 0) -> Any:
    """Return the kth diagonal of a matrix, or the matrix with a vector on it."""
    return ops.diag(tensor(v), k)


def diagflat(v: TensorLike, k: int = 0) -> Any:
    """Return a matrix with the flattened values on its kth diagonal."""
    return ops.diagflat(tensor(v), k)


def diagonal(a: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonal of the matrices that two axes span."""
    return ops.diagonal(tensor(a), offset, axis1, axis2)


def tril(m: TensorLike, k: int = 0) -> Any:
    """Return `m` with zeros above the kth diagonal."""
    return ops.tril(tensor(m), k)


def triu(m: TensorLike, k: int = 0) -> Any:
    """Return `m` with zeros below the kth diagonal."""
    return ops.triu(tensor(m), k)


def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis, taken n times."""
    return ops.diff(tensor(a), n, axis)


def sort(a: TensorLike, axis: int | None = -1, kind: str = "quicksort", order: Any = None) -> Any:
    """Return the values in order along an axis, None: flattened."""
    _refuse(order=order)
    return ops.sort(tensor(a), axis)


def argsort(
    a: TensorLike, axis: int | None = -1, kind: str = "quicksort", order: Any = None
) -> Any:
    """Return the places of the values in order along an axis, None: flattened."""
    _refuse(order=order)
    return ops.cast(ops.argsort(tensor(a), axis), wide("int64"))


def where(condition: TensorLike, x: TensorLike | None = None, y: TensorLike | None = None) -> Any:
    """Return `x` where the condition holds, else `y`; without both, the places where it holds.

    >>> import hornbeam.experimental.numpy as tnp
    >>> tnp.where([True, False], 1, 2).numpy().tolist()
    [1, 2]
    """
    if x is None or y is None:
        if x is not y:
            raise ValueError("Give `where` both x and y, or neither.")
        return nonzero(condition)
    return ops.where(ops.cast(tensor(condition), "bool"), *common(x, y))


def select(condlist: Tensors, choicelist: Tensors, default: TensorLike = 0) -> Any:
    """Return for each element the choice whose condition is the first to hold, else `default`."""
    if len(condlist) != len(choicelist):
        raise ValueError(
            f"`select` takes one choice for each condition; received {len(condlist)} conditions and "
            f"{len(choicelist)} choices."
        )
    *choices, rest = common(*choicelist, default)
    return ops.select([ops.cast(tensor(each), "bool") for each in condlist], choices, rest)


def nonzero(a: TensorLike) -> list[Any]:
    """Return the places of the elements that are not 0, one row of indices for each axis."""
    return [tensor(each, wide("int64")) for each in np.nonzero(np.asarray(tensor(a)))]


def compress(condition: TensorLike, a: TensorLike, axis: int | None = None) -> Any:
    """Return the slices along an axis where the condition holds, None: of the flattened values."""
    x = tensor(a)
    kept = np.nonzero(np.asarray(tensor(condition)))[0]
    return ops.take(ops.ravel(x) if axis is None else x, kept, axis or 0)


def take(
    a: TensorLike,
    indices: TensorLike,
    axis: int | None = None,
    out: Any = None,
    mode: str = "clip",
) -> Any:
    """Return the slices along an axis at places, None: elements of the flattened values.

    Of places beyond the axis `mode` "clip" takes the last, "wrap" counts on from the beginning.
    """
    _refuse(out=out)
    if mode not in ("clip", "wrap"):
        raise ValueError(f"`mode` is 'clip' or 'wrap'; received {mode!r}.")
    x, places = tensor(a), tensor(indices)
    if axis is None:
        x, axis = ops.ravel(x), 0
    count = x.shape[axis]
    places = ops.mod(places, count) if mode == "wrap" else ops.clip(places, 0, count - 1)
    return ops.take(x, places, axis)


def take_along_axis(arr: TensorLike, indices: TensorLike, axis: int | None) -> Any:
    """Return the elements at the given places along an axis, one for each, as `argsort` returns them."""
    return ops.take_along_axis(tensor(arr), tensor(indices), axis)


def polyval(p: TensorLike, x: TensorLike) -> Any:
    """Return the value at x of the polynomial with the coefficients `p`, highest power first.

    >>> import hornbeam.experimental.numpy as tnp
    >>> int(tnp.polyval([1, 0, 2], 3))
    11
    """
    coefficients, at = common(p, x)
    total = ops.zeros_like(at)
    for i in range(coefficients.shape[0]):
        total = ops.add(ops.multiply(total, at), coefficients[i])
    return total


def iscomplexobj(x: TensorLike) -> bool:
    """Return whether the type is complex."""
    return as_dtype(tensor(x).dtype).is_complex


def isrealobj(x: TensorLike) -> bool:
    """Return whether the type is not complex."""
    return not iscomplexobj(x)


def iscomplex(x: TensorLike) -> Any:
    """Return for each element whether its imaginary part is not 0."""
    return ops.logical_not(ops.isreal(tensor(x)))


def isscalar(num: Any) -> bool:
    """Return whether `num` is one number: of Python or NumPy, or a tensor without axes."""
    return bool(np.isscalar(num)) or (hasattr(num, "shape") and not len(num.shape))
