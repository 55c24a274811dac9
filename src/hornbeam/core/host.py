"""Strings: values that live on the host, as NumPy arrays of bytes, in the same tensors as numbers.

The door hands a call that has strings among its tensors to `call`. Operations that only move elements (`concat`, `where`,
`gather`, ...) compute with numbers that stand for the strings; so each has one body for both. Others raise an error.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import UnimplementedError, invalid
from hornbeam.core.ordered import tree_map
from hornbeam.core.strings import Strings
from hornbeam.core.tensor import AnyTensor, Tensor

if TYPE_CHECKING:
    from hornbeam.core.op import Op
    from hornbeam.core.typing import NumpyArray

# Operations whose elements are some of those of their input.
_MOVING = frozenset(
    [
        "append",
        "array",
        "broadcast_to",
        "concatenate",
        "copy",
        "diagonal",
        "dsplit",
        "expand_dims",
        "flip",
        "fliplr",
        "flipud",
        "gather",
        "gather_nd",
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
        "slice",
        "split",
        "squeeze",
        "stack",
        "stop_gradient",
        "swapaxes",
        "take",
        "take_along_axis",
        "tensor_scatter_nd_update",
        "tf.reverse_sequence",
        "tf.scatter_nd_into",
        "tf.scatter_rows",
        "tf.strided_slice_assign",
        "tile",
        "transpose",
        "unstack",
        "vsplit",
        "vstack",
        "where",
        "zeros_like",
    ]
)
# Operations that tell numbers about strings.
_TELLING = frozenset(["equal", "not_equal", "ndim", "shape", "size", "tf.shape"])
# Operations of two operands, which are both strings if one is; the number of arguments before them.
_OF_TWO = {"equal": 0, "not_equal": 0, "add": 0, "where": 1}


def is_text(value: object) -> bool:
    """Return whether `value` is a text, bytes, a tensor of strings, or a nested list or array of such."""
    while isinstance(value, (list, tuple)):
        values = cast("list[object]", value)
        value = next((each for each in values if not _is_empty(each)), None)
    if isinstance(value, (np.ndarray, np.generic)):
        array = cast("NumpyArray", value)
        if array.dtype.kind == "O":
            return array.size > 0 and isinstance(array.reshape(-1)[0], (str, bytes))
        return array.dtype.kind in "US"
    return isinstance(value, (str, bytes)) or is_string(value)


def _is_empty(value: object) -> bool:
    return isinstance(value, (list, tuple)) and not value


def is_string(value: object) -> bool:
    """Return whether `value` is a tensor or a variable of strings."""
    return type(getattr(value, "_value", None)) is Strings


def strings(value: Any) -> AnyTensor:
    """Return a tensor of strings: of texts, which are kept in UTF-8, bytes, nested lists and arrays of such.

    Raises InvalidArgumentError for anything else, and for lists that are not rectangular.
    """
    if is_string(value):
        return value if isinstance(value, AnyTensor) else value.read_value()
    plain = tree_map(_plain, value, is_leaf=_is_tensor)
    found: NumpyArray = np.asarray(plain, dtype=object)
    flat = [_bytes(each, value) for each in found.ravel()]
    return _tensor(flat, found.shape)


def _plain(value: Any) -> Any:
    return np.asarray(value)[()] if isinstance(value, AnyTensor) or is_string(value) else value


def _bytes(element: Any, value: Any) -> bytes:
    if isinstance(element, str):
        return element.encode()
    if isinstance(element, bytes):
        return bytes(element)
    if isinstance(element, (list, tuple)):
        raise invalid("Can't convert non-rectangular Python sequence to Tensor.")
    if is_text(value):
        raise invalid("Can't convert Python sequence with mixed types to Tensor.")
    raise invalid(f"Cannot convert {value!r} to EagerTensor of dtype string")


def _tensor(flat: Iterable[bytes], shape: tuple[int, ...]) -> Tensor:
    elements = list(flat)
    array = np.empty(len(elements), object)
    array[:] = elements
    return Tensor(cast("Any", Strings(array.reshape(shape))))


def elements(value: Any) -> NumpyArray:
    """Return the bytes of a tensor of strings, or of what can become one, as an array of objects."""
    return strings(value)._value.__array__()


def mapped(fn: Callable[..., bytes], *values: Any) -> Tensor:
    """Return the tensor of what `fn` makes of each element, of several tensors that broadcast."""
    arrays = np.broadcast_arrays(
        *(
            elements(each) if is_text(each) or is_string(each) else np.asarray(each)
            for each in values
        )
    )
    flat = [fn(*each) for each in zip(*(array.ravel() for array in arrays), strict=True)]
    return _tensor(flat, arrays[0].shape)


def has_strings(leaves: Iterable[Any]) -> bool:
    """Return whether there is a tensor of strings among the leaves of a call's arguments."""
    return any(type(getattr(leaf, "_value", None)) is Strings for leaf in leaves)


def call(made: Op[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what an op makes of strings. Raises InvalidArgumentError for an op that is not defined for them."""
    name = made.name
    if name == "cast":
        return _cast(*args, **kwargs)
    if name not in _MOVING and name not in _TELLING and name != "add":
        raise invalid(f"`{name}` isn't defined for strings; tf.strings has what is.")
    if name in _OF_TWO:
        given = list(inspect.signature(made.raw).bind(*args, **kwargs).arguments.values())
        first = _OF_TWO[name]
        args, kwargs = (*given[:first], *map(strings, given[first:])), {}
    elif name in ("concatenate", "stack") and isinstance(args[0], (list, tuple)):
        args = (list(map(strings, cast("list[Any]", args[0]))), *args[1:])
    if name == "add":
        return mapped(_joined, *args)
    words: dict[bytes, int] = {b"": 0}  # what pads, and zeros, are empty strings
    known: list[bytes] = []

    def encoded(value: Any) -> Any:
        if not is_string(value):
            return value
        array = elements(value)
        codes = [words.setdefault(each, len(words)) for each in array.ravel()]
        return Tensor(jnp.asarray(np.array(codes, "int32").reshape(array.shape)))

    def decoded(value: Any) -> Any:
        if not isinstance(value, AnyTensor):
            return value
        codes: NumpyArray = np.asarray(value)
        moved: list[bytes] = [known[int(code)] for code in codes.ravel()]
        return _tensor(moved, codes.shape)

    with jax.ensure_compile_time_eval():
        args, kwargs = tree_map(encoded, (args, kwargs), is_leaf=_is_tensor)
        outputs = made(*args, **kwargs)
        known += words
        return outputs if name in _TELLING else tree_map(decoded, outputs, is_leaf=_is_tensor)


def _joined(one: bytes, other: bytes) -> bytes:
    return one + other


def _is_tensor(value: object) -> bool:
    return isinstance(value, AnyTensor)


def _cast(x: Any, dtype: Any) -> Any:
    if as_dtype(dtype) == "string":
        return x
    raise UnimplementedError(
        None,
        None,
        f"Cast string to {as_dtype(dtype).name} is not supported; tf.strings.to_number reads numbers. [Op:Cast]",
    )
