"""Assertions about the shapes and types of tensors, which are known in programs too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import convert_to_tensor, is_tensor
from hornbeam.core.type_specs import TypeSpec

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike, TensorLike


def _head(message: str | None) -> str:
    return f"{message}.  " if message else ""


def _number(rank: TensorLike) -> int:
    return int(convert_to_tensor(rank))


def _shape(x: Any) -> TensorShape:
    return TensorShape(x.shape if hasattr(x, "shape") else convert_to_tensor(x).shape)


def _wrong_rank(message: str | None, wanted: str, shape: TensorShape) -> ValueError:
    return ValueError(
        f"{_head(message)}Tensor  must have rank {wanted}.  Received rank {shape.rank}, shape {shape}"
    )


def assert_rank(
    x: TensorLike, rank: TensorLike, message: str | None = None, name: str | None = None
) -> None:
    """Raise ValueError unless `x` has `rank` axes.

    >>> import hornbeam as tf
    >>> tf.debugging.assert_rank(tf.ones((2, 2)), 2)
    """
    if (shape := _shape(x)).rank != _number(rank):
        raise _wrong_rank(message, str(_number(rank)), shape)


def assert_rank_at_least(
    x: TensorLike, rank: TensorLike, message: str | None = None, name: str | None = None
) -> None:
    """Raise ValueError unless `x` has `rank` axes or more."""
    if len(shape := _shape(x)) < _number(rank):
        raise _wrong_rank(message, f"at least {_number(rank)}", shape)


def assert_rank_in(
    x: TensorLike, ranks: Iterable[TensorLike], message: str | None = None, name: str | None = None
) -> None:
    """Raise ValueError unless the number of axes of `x` is one of `ranks`."""
    allowed = tuple(map(_number, ranks))
    if len(shape := _shape(x)) not in allowed:
        raise _wrong_rank(message, f"in {allowed}", shape)


def assert_scalar(tensor: TensorLike, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError unless the tensor has no axes."""
    if shape := _shape(tensor):
        raise ValueError(f"{message or ''}Expected scalar shape, saw shape: {shape}.")


def assert_type(
    tensor: TensorLike, tf_type: DTypeLike, message: str | None = None, name: str | None = None
) -> None:
    """Raise TypeError unless the tensor is of the type.

    >>> import hornbeam as tf
    >>> tf.debugging.assert_type(tf.constant(1), tf.int32)
    """
    found, wanted = convert_to_tensor(tensor).dtype, as_dtype(tf_type)
    if found != wanted:
        raise TypeError(f"{_head(message)}tensor must be of type {wanted!r}; got {found!r}")


def assert_integer(x: TensorLike, message: str | None = None, name: str | None = None) -> None:
    """Raise TypeError unless the tensor is of an integer type."""
    found = convert_to_tensor(x).dtype
    if not found.is_integer:
        raise TypeError(
            f'{_head(message)}Expected "x" to be integer type.  Found: tensor of dtype {found}'
        )


def is_numeric_tensor(tensor: object) -> bool:
    """Return whether `tensor` is a tensor of numbers: not of booleans, not of strings.

    >>> import hornbeam as tf
    >>> tf.debugging.is_numeric_tensor(tf.constant(True))
    False
    """
    return is_tensor(tensor) and as_dtype(cast("Any", tensor).dtype).is_numeric


def assert_proper_iterable(values: object) -> None:
    """Raise TypeError unless `values` is iterable, and more than one value by its nature: no tensor, no string."""
    if is_tensor(values) or isinstance(values, (str, bytes, TypeSpec)) or hasattr(values, "dtype"):
        raise TypeError(
            f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}'
        )
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def assert_same_float_dtype(
    tensors: Iterable[Any] | None = None, dtype: DTypeLike | None = None
) -> DType:
    """Return the one floating type of all tensors. Raises ValueError where they differ or are not floating.

    >>> import hornbeam as tf
    >>> tf.debugging.assert_same_float_dtype([tf.ones(1), tf.zeros(2)])
    tf.float32
    """
    expected, first = None if dtype is None else as_dtype(dtype), None
    for each in tensors or ():
        found = as_dtype(each.dtype)
        if expected is None:
            expected, first = found, each
        elif found != expected:
            beside = "" if first is None else f" as {first!s}"
            raise ValueError(
                f"{each!s}, type={found}, must be of the same type ({expected}){beside}."
            )
    expected = as_dtype("float32") if expected is None else expected
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected}.")
    return expected


def assert_shapes(
    shapes: Mapping[Any, Any] | Sequence[tuple[Any, Any]],
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raise ValueError where tensors don't have the shapes that are written beside them.

    A size is a number, a name (the same name stands for one size everywhere) or None for any; `...` in front stands for
    any number of axes.

    >>> import hornbeam as tf
    >>> x, w = tf.ones((8, 3)), tf.ones((3, 2))
    >>> tf.debugging.assert_shapes([(x, ("batch", "in")), (w, ("in", "out"))])
    """
    pairs = list(shapes.items()) if isinstance(shapes, Mapping) else list(shapes)
    known: dict[Any, tuple[int, str]] = {}
    for x, wanted in pairs:
        _assert_shape(x, wanted, known, message)


def _assert_shape(
    x: Any, wanted: Any, known: dict[Any, tuple[int, str]], message: str | None
) -> None:
    shape = _shape(x)
    title = (
        f"Tensor shape={shape} dtype={getattr(getattr(x, 'dtype', None), 'name', type(x).__name__)}"
    )
    if not hasattr(wanted, "__iter__"):
        raise ValueError(
            f"{_head(message)}{title}.  Specified shape must be an iterable.  An iterable has the attribute `__iter__` "
            f"or `__getitem__`.  Received specified shape: {wanted}"
        )
    sizes = list(wanted)
    open_ended = bool(sizes) and sizes[0] in (..., "*")
    sizes = sizes[open_ended:]
    for place, size in enumerate(sizes, int(open_ended)):
        if size in (..., "*"):
            raise ValueError(
                f"{_head(message)}{title} specified shape index {place}.  Symbol `...` or `*` for a variable number of "
                "unspecified dimensions is only allowed as the first entry"
            )
    if open_ended and len(shape) < len(sizes):
        raise _wrong_rank(message, f"at least {len(sizes)}", shape)
    if not open_ended and len(shape) != len(sizes):
        raise _wrong_rank(message, str(len(sizes)), shape)
    first = len(shape) - len(sizes)
    for axis, (size, found) in enumerate(zip(sizes, shape[first:], strict=True), first):
        if size is None or size in ("?", ".") or found is None:
            continue
        by = "Specified explicitly"
        expected = size
        if not isinstance(size, int):
            expected, by = known.setdefault(
                size, (found, f"Specified by {title[0].lower()}{title[1:]} dimension {axis}")
            )
        if found != expected:
            raise ValueError(
                f"{_head(message)}{by}.  {title} dimension {axis} must have size {expected}.  Received size {found}, "
                f"shape {shape}"
            )
