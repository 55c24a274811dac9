"""New tensors."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import jax
import numpy as np

from hornbeam import ops
from hornbeam.core import host
from hornbeam.core.constants import constant_of, note_constant
from hornbeam.core.dtypes import DType, as_dtype, canonical
from hornbeam.core.error_types import invalid
from hornbeam.core.shapes import TensorShape
from hornbeam.core.signatures import of_one_type
from hornbeam.core.symbolic import is_symbolic
from hornbeam.core.tensor import Tensor, is_traced, of_number, of_python, unwrap
from hornbeam.core.tensor import convert_to_tensor as _convert
from hornbeam.core.typing import DTypeLike, TensorLike
from hornbeam.core.variable import Variable
from hornbeam.ops.core import shape_of_symbol
from hornbeam.tensors.argument_checks import check_integers, size_of
from hornbeam.tensors.ranges import TracedRange


def static_shape(shape: Any) -> tuple[int, ...]:
    """A shape given as a list, a number, or tensors of known value."""
    if type(shape) in (tuple, list) and all(type(dim) is int and dim >= 0 for dim in shape):
        return tuple(shape)
    shape = unwrap(shape)
    if np.ndim(shape) == 0 and not isinstance(shape, (list, tuple)):
        return (size_of(shape),)
    return tuple(size_of(unwrap(dim)) for dim in shape)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of given values; a single value fills `shape`.

    >>> import hornbeam as tf
    >>> tf.constant([[1, 2], [3, 4]])
    <tf.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[1, 2],
           [3, 4]], dtype=int32)>
    """
    if dtype is None and shape is None and (number := of_number(value)) is not None:
        return number
    refuse_loss(value, dtype)
    tensor = _tensor(value, dtype)
    if shape is None:
        return tensor
    shape = static_shape(shape)
    if tensor.shape.num_elements() == 1:
        return _of_same_values(ops.broadcast_to(ops.reshape(tensor, ()), shape), tensor)
    if int(np.prod(shape)) != tensor.shape.num_elements():
        raise invalid(f"{tensor.shape.num_elements()} values can't fill the shape {shape}.")
    return _of_same_values(ops.reshape(tensor, shape), tensor)


def _of_same_values(made: Any, tensor: Tensor) -> Any:
    """Return `made`, which repeats the values of `tensor` or has them in another shape; see `core.constants`."""
    known = constant_of(tensor._value)
    if known is not None:
        note_constant(made._value, np.resize(known, made._value.shape))
    return made


def _tensor(value: Any, dtype: Any) -> Any:
    """Return `value` as a tensor of numbers or of strings."""
    if dtype is not None and as_dtype(dtype) == "string":
        return host.strings(value)
    if not host.is_text(value):
        return _convert(value, dtype)
    if dtype is not None:
        raise invalid(f"Cannot convert {value!r} to EagerTensor of dtype {as_dtype(dtype).name}")
    return host.strings(value)


def refuse_loss(value: Any, dtype: Any) -> None:
    """Raise InvalidArgumentError where Python numbers would lose something in the type."""
    if dtype is None or not isinstance(value, (int, float, complex, list, tuple)):
        return
    wanted = as_dtype(dtype)
    kinds = {type(each) for each in jax.tree.leaves(value)}
    if (
        (float in kinds and not (wanted.is_floating or wanted.is_complex))
        or (complex in kinds and not wanted.is_complex)
        or (int in kinds and wanted.is_bool)
    ):
        raise invalid(f"Cannot convert {value!r} to EagerTensor of dtype {wanted.name}")


def refuse_other_kind(value: Any, dtype: DType) -> None:
    """Raise ValueError for a tensor or variable whose fractions, signs or numbers an element of the type can't hold."""
    if not isinstance(value, (Tensor, Variable)) or (given := as_dtype(value.dtype)) == dtype:
        return
    if (
        (given.is_complex and not dtype.is_complex)
        or (given.is_floating and (dtype.is_integer or dtype.is_bool))
        or (given.is_integer and dtype.is_bool)
    ):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {given.name}: {value!r}. Write "
            f"tf.cast(value, tf.{dtype.name})."
        )


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Any:
    """`value` as a tensor; `dtype_hint` is taken where it loses nothing."""
    if is_symbolic(value):
        return value if dtype is None else ops.cast(value, dtype)
    if dtype is None and dtype_hint is None and (number := of_number(value)) is not None:
        return number
    refuse_loss(value, dtype)
    tensor = _tensor(value, dtype)
    if tensor.dtype == "string":
        return tensor
    hint = None if dtype is not None or dtype_hint is None else as_dtype(dtype_hint)
    if (
        hint is not None
        and not isinstance(value, Tensor)
        and hint.is_floating >= tensor.dtype.is_floating
    ):
        return _convert(value, hint)
    return tensor


def zeros(
    shape: Any, dtype: Any = "float32", name: str | None = None, layout: Any = None
) -> Tensor:
    """Zeros; of strings, empty ones."""
    if as_dtype(dtype) == "string":
        return fill(shape, "")
    return _of_one_value(ops.zeros(static_shape(shape), dtype), 0)


def ones(shape: Any, dtype: Any = "float32", name: str | None = None, layout: Any = None) -> Tensor:
    """Ones."""
    return _of_one_value(ops.ones(static_shape(shape), dtype), 1)


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of shape `dims` filled with one value."""
    tensor = _tensor(value, None)
    if tensor.dtype == "string":
        return ops.broadcast_to(tensor, static_shape(dims))
    if tensor.ndim:
        raise invalid(
            f"`tf.fill`: `value` is one number; received a tensor of shape {tensor.shape}. tf.broadcast_to repeats tensors."
        )
    filled = ops.full(static_shape(dims), tensor, tensor.dtype)
    return _of_one_value(filled, value) if isinstance(value, (int, float, complex)) else filled


def _of_one_value(tensor: Tensor, value: complex) -> Tensor:
    """Return a tensor of one value, which those who ask know while a program is traced."""
    if is_traced(tensor._value):
        array = np.broadcast_to(np.asarray(value, tensor.dtype), tensor._value.shape)
        note_constant(tensor._value, array)
    return tensor


def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Zeros of the shape and type of `input`."""
    return ops.zeros_like(input, dtype=dtype)


def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Ones of the shape and type of `input`."""
    return ops.ones_like(input, dtype=dtype)


def eye(
    num_rows: int,
    num_columns: int | None = None,
    batch_shape: Any = None,
    dtype: Any = "float32",
    name: str | None = None,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere; repeated for `batch_shape`."""
    matrix = ops.eye(num_rows, num_columns, dtype=dtype)
    return ops.broadcast_to(matrix, (*(batch_shape or ()), *matrix.shape))


def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """start, start + delta, ... up to but without `limit`; `range(n)` begins at 0.

    In a compiled function, a range whose bounds the program computes can only be looped over.

    >>> import hornbeam as tf
    >>> tf.range(3, 18, 5).numpy()
    array([ 3,  8, 13], dtype=int32)
    """
    if limit is None:
        start, limit = 0, start
    if any(is_traced(unwrap(each)) for each in (start, limit, delta)):
        return cast("Tensor", TracedRange(start, limit, delta, dtype))
    bounds = [_on_host(each) for each in (start, limit, delta)]
    if not bounds[-1]:
        raise invalid("`tf.range`: Requires delta != 0: 0 [Op:Range]")
    if dtype is None:
        # Other types, such as int8, have no ranges in TensorFlow; here they count as int32.
        kinds = [each.dtype.name for each in bounds]
        dtype = _RANGES[max(_RANGES.index(kind) if kind in _RANGES else 0 for kind in kinds)]
    return _convert(np.arange(*(each.item() for each in bounds)), dtype)


def _on_host(number: Any) -> Any:
    """Return a known number in the type that its tensor would have; in a program a tensor would be a tracer."""
    raw = unwrap(number)
    return np.asarray(raw) if hasattr(raw, "dtype") else of_python(np.asarray(raw))


_RANGES = ["int32", "int64", "float16", "bfloat16", "float32", "float64"]


def linspace(start: Any, stop: Any, num: int, name: str | None = None, axis: int = 0) -> Any:
    """`num` values from `start` to `stop`, both included."""
    kinds = ops.dtype(start), ops.dtype(stop)
    if any(kind.is_complex for kind in kinds):
        start, stop = convert_to_tensor(start), convert_to_tensor(stop)
    elif not any(kind.is_floating for kind in kinds):  # TensorFlow's choices for whole numbers
        start = ops.cast(start, "float32" if max(kind.size for kind in kinds) < 4 else "float64")
    return ops.linspace(*of_one_type(start, stop), num, axis=axis)


def one_hot(
    indices: Any,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Rows with `on_value` (1) at each index and `off_value` (0) elsewhere.

    >>> import hornbeam as tf
    >>> tf.one_hot([2, 0], 3).numpy()
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    axis = -1 if axis is None else axis
    check_integers("tf.one_hot", "indices", indices)
    if on_value is None and off_value is None:
        return ops.one_hot(indices, int(depth), axis, dtype or "float32")
    hot = ops.one_hot(indices, int(depth), axis, "bool")
    found = ops.where(hot, 1 if on_value is None else on_value, off_value or 0)
    return found if dtype is None else ops.cast(found, dtype)


def shape(input: Any, out_type: Any = None, name: str | None = None) -> Any:
    """The shape as a tensor of integers; its entries stay known inside compiled programs."""
    if is_symbolic(input):
        return shape_of_symbol(input)
    sizes = input.shape if hasattr(input, "shape") else np.shape(input)
    return Tensor(np.asarray(sizes, canonical(out_type or "int32")))


def shape_n(
    input: Sequence[TensorLike], out_type: DTypeLike = "int32", name: str | None = None
) -> list[Any]:
    """Return the shapes of several tensors."""
    return [shape(each, out_type) for each in input]


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Return the shape that tensors of two shapes have together; a size may be None, i.e. not known.

    >>> import hornbeam as tf
    >>> tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([3]))
    TensorShape([2, 3])
    """
    rows = [tuple(TensorShape(each)) for each in (shape_x, shape_y)]
    length = max(map(len, rows))
    pairs = zip(*((1,) * (length - len(each)) + each for each in rows), strict=True)
    sizes: list[int | None] = []
    for a, b in pairs:
        if a != b and 1 not in (a, b) and None not in (a, b):
            raise ValueError(f"Shapes {rows[0]} and {rows[1]} don't broadcast: {a} and {b} differ.")
        known = [each for each in (a, b) if each not in (1, None)]
        sizes.append(known[0] if known else None if None in (a, b) else 1)
    return TensorShape(sizes)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """Return the shape that tensors of two known shapes have together, as a tensor.

    >>> import hornbeam as tf
    >>> tf.broadcast_dynamic_shape([2, 1], [3]).numpy()
    array([2, 3], dtype=int32)
    """
    found = broadcast_static_shape(static_shape(shape_x), static_shape(shape_y))
    return Tensor(np.asarray(tuple(found), "int32"))


def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The number of elements."""
    return _convert(int(np.prod(np.shape(unwrap(input)))), out_type or "int32")


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes."""
    return _convert(np.ndim(unwrap(input)), "int32")


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """`x` itself. Raises InvalidArgumentError unless its shape is compatible with `shape`."""
    if not TensorShape(x.shape).is_compatible_with(shape):
        raise invalid(
            f"Shape of tensor input {x.shape} is not compatible with expected shape {TensorShape(shape)}."
        )
    return x
