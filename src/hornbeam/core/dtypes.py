"""Element types: one string-like object that TensorFlow, Keras, NumPy and JAX code all accept.

A request for a 64-bit type is served, and nothing else has 64 bits: `core.wide` and `docs/design/0027` say how and why.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, cast

import jax.numpy as jnp
import ml_dtypes
import numpy as np

from hornbeam.core import wide
from hornbeam.core.error_types import invalid
from hornbeam.core.errors import unknown_name

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike, TensorLike


class _Limits(Protocol):
    """What the untyped `finfo` and `iinfo` of ml_dtypes have in common."""

    min: Any
    max: Any


@functools.cache
def _is_kind(name: str, kind: type) -> bool:
    """Return whether a type is of a kind of NumPy's. To ask NumPy takes a microsecond."""
    return name != "string" and jnp.issubdtype(np.dtype(name), kind)


class DType(str):
    """The type of a tensor's elements.

    It is its own name, so `x.dtype == "float32"` holds, and NumPy and JAX take it wherever they take a dtype.

    >>> import hornbeam as tf
    >>> tf.float32
    tf.float32
    >>> print(tf.float32, tf.float32 == "float32", tf.float32.is_floating)
    <dtype: 'float32'> True True
    """

    __slots__ = ()

    def __new__(cls, type_enum: str | int, handle_data: Any = None) -> DType:
        """Make a type of its name, or of its number in TensorFlow's files. `handle_data` changes nothing."""
        name = _BY_NUMBER[type_enum].name if isinstance(type_enum, int) else type_enum
        return str.__new__(cls, name)

    @property
    def name(self) -> str:
        """The name, e.g. "float32"."""
        return str.__str__(self)

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar type, e.g. `numpy.float32`; `object` for strings."""
        return object if self.name == "string" else np.dtype(self.name).type

    @property
    def is_floating(self) -> bool:
        """Whether values are floating-point, bfloat16 and the 8-bit floats included."""
        return _is_kind(self.name, np.floating)

    @property
    def is_integer(self) -> bool:
        """Whether values are integers; booleans are not."""
        return _is_kind(self.name, np.integer)

    @property
    def is_unsigned(self) -> bool:
        """Whether values are integers without a sign."""
        return _is_kind(self.name, np.unsignedinteger)

    @property
    def is_complex(self) -> bool:
        """Whether values are complex numbers."""
        return _is_kind(self.name, np.complexfloating)

    @property
    def is_bool(self) -> bool:
        """Whether values are booleans."""
        return self.name == "bool"

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic is defined on the values."""
        return self.name not in ("bool", "string")

    @property
    def size(self) -> int:
        """Bytes of one element; 0 for strings, as in TensorFlow."""
        return 0 if self.name == "string" else np.dtype(self.name).itemsize

    @property
    def real_dtype(self) -> DType:
        """The type of the real part."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    @property
    def limits(self) -> tuple[int, int]:
        """The range that images of the type have: 0 to 1 for floats, all values of integers.

        >>> import hornbeam as tf
        >>> tf.uint8.limits, tf.float32.limits
        ((0, 255), (0, 1))
        """
        if self.is_integer and self.size <= 4:
            return max(0, self.min), self.max
        if self.name in ("bool", "float32", "float64"):
            return 0, self.is_bool or 1
        raise ValueError(f"{self} does not have defined limits.")

    @property
    def as_datatype_enum(self) -> int:
        """The number of the type in TensorFlow's files."""
        return _NUMBERS[self.name]

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether NumPy arrays can hold the values: True."""
        return True

    @property
    def is_quantized(self) -> bool:
        """Whether values are quantised: False, such types don't exist here."""
        return False

    @property
    def base_dtype(self) -> DType:
        """The type itself; TensorFlow's reference types do not exist here."""
        return self

    @property
    def min(self) -> Any:
        """The least value that can be represented."""
        return self._limits().min

    @property
    def max(self) -> Any:
        """The greatest value that can be represented."""
        return self._limits().max

    def _limits(self) -> _Limits:
        if self.is_floating:
            return cast("_Limits", ml_dtypes.finfo(np.dtype(self.name)))
        if self.is_integer:
            return cast("_Limits", ml_dtypes.iinfo(np.dtype(self.name)))
        raise TypeError(f"{self} has no least and greatest value.")

    def is_compatible_with(self, other: object) -> bool:
        """Whether `other` names the same type."""
        return self == other

    def is_subtype_of(self, other: object) -> bool:
        """Whether `other` names the same type."""
        return self == other

    def most_specific_common_supertype(self, types: Iterable[object]) -> DType | None:
        """The type itself where all others are the same; else None."""
        return self if all(self == other for other in types) else None

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __format__(self, spec: str) -> str:
        return format(str(self) if not spec else self.name, spec)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return str.__eq__(self, other)
        try:
            return other is not None and self.name == as_dtype(cast("DTypeLike", other)).name
        except (TypeError, ValueError):
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return (DType, (self.name,))


float16, bfloat16, float32, float64 = map(DType, ("float16", "bfloat16", "float32", "float64"))
half, double = float16, float64
int8, int16, int32, int64 = map(DType, ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = map(DType, ("uint8", "uint16", "uint32", "uint64"))
complex64, complex128 = DType("complex64"), DType("complex128")
bool_, string = DType("bool"), DType("string")

ALL: dict[str, DType] = {
    each.name: each
    for each in (
        float16,
        bfloat16,
        float32,
        float64,
        complex64,
        complex128,
        bool_,
        string,
        int8,
        int16,
        int32,
        int64,
        uint8,
        uint16,
        uint32,
        uint64,
    )
}
# The numbers of `DataType` in TensorFlow's types.proto.
_NUMBERS = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "string": 7,
    "complex64": 8,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "uint16": 17,
    "complex128": 18,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
    "float8_e5m2": 24,
    "float8_e4m3fn": 25,
}
_BY_NUMBER = {number: DType(name) for name, number in _NUMBERS.items()}
_OTHER_NAMES = {"half": float16, "double": float64}
_PYTHON = {float: float32, int: int32, bool: bool_, str: string, complex: complex64}


def as_dtype(type_value: DTypeLike | None) -> DType:
    """Return the DType for a name, a NumPy or JAX dtype, a Python type, or a number of TensorFlow's files.

    Raises InvalidArgumentError for what names no type, with near names.

    >>> import hornbeam as tf, numpy as np
    >>> tf.as_dtype(np.float32), tf.as_dtype("bool")
    (tf.float32, tf.bool)
    """
    if isinstance(type_value, DType):
        return type_value
    if isinstance(type_value, np.dtype):
        return _of_numpy(type_value)
    if isinstance(type_value, str):
        found = ALL.get(type_value) or _OTHER_NAMES.get(type_value)
    elif isinstance(type_value, type):
        found = _PYTHON.get(type_value)
    else:
        found = _BY_NUMBER.get(type_value) if isinstance(type_value, int) else None
    if found is not None:
        return found
    try:
        if type_value is None:  # NumPy takes it for float64
            raise TypeError
        name: str = np.dtype(type_value).name
    except TypeError:
        if isinstance(type_value, str):
            text = str(unknown_name("dtype", type_value, ALL))
        else:
            text = (
                f"Cannot convert the argument `type_value`: {type_value!r} to a TensorFlow DType."
            )
        raise invalid(text) from None
    return _of_name(name)


def _of_name(name: str) -> DType:
    if name.startswith("str") or name == "object":
        return string
    return ALL.get(name) or DType(name)


# To find the name of a type takes NumPy 2 us. Only types of numbers are kept: there are few.
_by_numpy: dict[np.dtype[Any], DType] = {}


def _of_numpy(dtype: np.dtype[Any]) -> DType:
    found = _by_numpy.get(dtype)
    if found is None:
        found = _of_name(dtype.name)
        if dtype.name in ALL and dtype.isnative:
            _by_numpy[dtype] = found
    return found


def canonical(value: DTypeLike) -> np.dtype[Any]:
    """Return the NumPy dtype for a request: the type itself, or its 32-bit kin where the user has JAX refuse 64 bits."""
    dtype = as_dtype(value)
    if dtype.name == "string":
        raise TypeError("String values live on the host; they cannot become a numeric tensor.")
    found = np.dtype(dtype.name)
    return found if wide.is_served() else wide.NARROW.get(found, found)


def is_float(value: DTypeLike) -> bool:
    """Return whether `value` is a floating type."""
    return as_dtype(value).is_floating


def is_int(value: DTypeLike) -> bool:
    """Return whether `value` is an integer type (not bool)."""
    return as_dtype(value).is_integer


def result_type(*values: DTypeLike | TensorLike) -> str:
    """Return the name of the type to which JAX promotes dtypes, arrays and Python numbers.

    >>> from hornbeam import keras
    >>> keras.backend.result_type("int32", "bfloat16")
    'bfloat16'
    """

    def plain(value: DTypeLike | TensorLike) -> Any:
        return canonical(value) if isinstance(value, (str, type, np.dtype)) else value

    return np.dtype(jnp.result_type(*map(plain, values))).name
