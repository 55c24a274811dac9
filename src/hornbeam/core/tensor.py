"""The tensor: a thin wrapper of a `jax.Array`, or of a tracer while a program is being compiled."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import jax
import numpy as np
from jax.core import Tracer

from hornbeam.core import wide
from hornbeam.core.constants import note_constant
from hornbeam.core.conversions import converted, has_conversion
from hornbeam.core.dtypes import DType, as_dtype, canonical
from hornbeam.core.error_types import (
    OperatorNotAllowedInGraphError,
    UnknownValueError,
    invalid,
)
from hornbeam.core.index_bounds import check_key
from hornbeam.core.jax_typed import register_pytree_node
from hornbeam.core.leaks import leaked
from hornbeam.core.listening import local, taken_out
from hornbeam.core.missing_attributes import no_attribute
from hornbeam.core.operators import ElementwiseEquality, elementary
from hornbeam.core.placing import is_tracing, placed, unchanged
from hornbeam.core.shapes import ShapeLike, TensorShape
from hornbeam.core.strings import Strings

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike, Key, NumpyArray, RawArray, TensorLike
    from hornbeam.core.variable import Variable


_PLAIN = np.dtype("float32")


class AnyTensor(ElementwiseEquality):
    """An array of numbers with a fixed shape and type that can't be changed in place.

    NumPy functions, `jax.numpy` functions and `jax.jit` take tensors as they are.

    >>> import hornbeam as tf
    >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x @ x
    <tf.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[ 7., 10.],
           [15., 22.]], dtype=float32)>
    """

    # `_picked_from` is set on slices of a `tf.Variable`, which can be assigned.
    __slots__ = ("__weakref__", "_keras_mask", "_picked_from", "_value")

    def __init__(self, value: RawArray) -> None:
        """`value` is a `jax.Array` or tracer; use `convert_to_tensor` for anything else."""
        self._value: RawArray = value
        self._keras_mask: Any = None
        self._picked_from: tuple[Variable, Any]

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape.of(self._value.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        return as_dtype(self._value.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def device(self) -> str:
        """Where the values lie, as TensorFlow writes it; empty where they are not known yet."""
        if is_traced(self._value):
            return ""
        if isinstance(self._value, (np.ndarray, Strings)):  # they never leave the host
            return device_name("cpu", 0)
        found = sorted(device_name(each.platform, each.id) for each in self._value.devices())
        return ", ".join(found)

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Check that `shape` is compatible with the tensor's; nothing is changed."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(
                f"Tensor's shape {self.shape} is not compatible with supplied shape {TensorShape(shape)}."
            )

    def ref(self) -> Reference:
        """A hashable handle, to use tensors as keys."""
        return Reference(self)

    def numpy(self) -> Any:
        """A NumPy copy of the values. Raises NotImplementedError, also an AttributeError, while a program is being compiled."""
        return np.array(_taken(self, "`.numpy()`"))[()]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NumpyArray:
        return np.asarray(_taken(self, "a NumPy function"), dtype=dtype)

    def __jax_array__(self) -> RawArray:
        if local.recorders:
            taken_out(self, "a JAX function")
        return self._value

    def __getitem__(self, key: Key) -> Any:
        check_key(self._value.shape, key)
        return elementary["getitem"](self, key)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __getattr__(self, name: str) -> Any:
        if name == "assign" and (source := getattr(self, "_picked_from", None)) is not None:
            variable, key = source
            return partial(variable.assign_item, key)
        raise AttributeError(no_attribute(name), name=name, obj=self)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("Scalar tensor has no `len()`")
        return self._value.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        value = known_value(self._value)
        if is_traced(value):
            raise OperatorNotAllowedInGraphError(
                _unknown(self, "if / while / and / or on a tensor")
            )
        return bool(np.asarray(value)) if value.size else False

    def __int__(self) -> int:
        return int(_taken(self, "`int()`"))

    def __index__(self) -> int:
        return _concrete(self, "Use as an index").__index__()

    def __float__(self) -> float:
        value = _taken(self, "`float()`")
        return float(value if value.ndim else np.asarray(value))

    def __complex__(self) -> complex:
        return complex(_taken(self, "`complex()`"))

    def __round__(self, digits: int | None = None) -> float:
        return round(float(self), digits)

    def __format__(self, spec: str) -> str:
        value = _shown_value(self._value)
        if is_traced(value):
            return format(str(self), spec)
        found = np.asarray(value)[()]
        # bfloat16 and the 8-bit floats print no point; Python's float does.
        return format(
            found.item()
            if getattr(found, "dtype", _PLAIN).kind == "V" and not self.ndim
            else found,
            spec,
        )

    def __repr__(self) -> str:
        head = f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}"
        value = _shown_value(self._value)
        if is_traced(value):
            return head + ", traced>"
        text = repr(np.asarray(value)) if self.ndim else repr(value.item())
        return f"{head}, numpy={chr(10) if chr(10) in text else ''}{text}>"

    def __str__(self) -> str:
        value = _shown_value(self._value)
        if is_traced(value):
            return repr(self)
        text = str(np.asarray(value))
        return f"tf.Tensor({chr(10) if chr(10) in text else ''}{text}, shape={self.shape}, dtype={self.dtype.name})"

    def __copy__(self) -> AnyTensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> AnyTensor:
        return self  # values can't change, so sharing them is a copy

    def __reduce__(self) -> tuple[Any, ...]:
        return (convert_to_tensor, (self.numpy(),))


class Tensor(AnyTensor):
    """What all tensors are. `tf.Tensor` is the class above, so that `type(t).__name__` is TensorFlow's."""

    __slots__ = ()


# Set here, so that making a tensor and asking for its class cost nothing more.
AnyTensor.__name__ = AnyTensor.__qualname__ = "Tensor"
AnyTensor.__module__ = "hornbeam"
Tensor.__name__ = Tensor.__qualname__ = "EagerTensor"
EagerTensor = Tensor  # for pickles of the class


def pick(tensor: AnyTensor, variable: Variable, key: Any) -> None:
    """Let `tensor`, which is `variable[key]`, have the method `assign`."""
    tensor._picked_from = variable, key


def _flatten(tensor: Tensor) -> tuple[tuple[RawArray], None]:
    if local.recorders:  # a compiled function of JAX takes a tensor apart
        taken_out(tensor, "a JAX function")
    return (tensor._value,), None


def _unflatten(_: None, children: Sequence[RawArray]) -> Tensor:
    return Tensor(children[0])


register_pytree_node(Tensor, _flatten, _unflatten)


class Reference:
    """A hashable handle of a tensor or variable, equal for the same object only."""

    __slots__ = ("_target",)

    def __init__(self, target: AnyTensor | Variable) -> None:
        """`target` is what `deref` returns."""
        self._target = target

    def deref(self) -> AnyTensor | Variable:
        """The tensor or variable itself."""
        return self._target

    def __hash__(self) -> int:
        return id(self._target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._target is self._target

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._target!r}>"


def device_name(platform: str, number: int) -> str:
    """Return the name of a device as TensorFlow writes it.

    >>> device_name("cpu", 0)
    '/job:localhost/replica:0/task:0/device:CPU:0'
    """
    kind = {"cuda": "GPU", "rocm": "GPU"}.get(platform) or platform.upper()
    return f"/job:localhost/replica:0/task:0/device:{kind}:{number}"


def _taken(tensor: AnyTensor, what: str) -> RawArray:
    """Return the array for Python or NumPy, which no listener hears."""
    if local.recorders:
        taken_out(tensor, what)
    return _concrete(tensor, what)


def _concrete(tensor: AnyTensor, what: str) -> RawArray:
    value = known_value(tensor._value)
    if is_traced(value):
        raise UnknownValueError(_unknown(tensor, what))
    return value


def _unknown(tensor: AnyTensor, what: str) -> str:
    return (
        f"{what[0].upper()}{what[1:]} needs the values of a tensor (shape {tensor.shape}, {tensor.dtype.name}), but they are not known "
        "yet: the function is being compiled. Use ops that stay inside the program (tf.where, tf.cond, "
        "keras.ops...). To look at values, let nothing be compiled: model.compile(run_eagerly=True), "
        "tf.config.run_functions_eagerly(True)."
    )


def known_value(value: RawArray) -> RawArray:
    """Return the array behind a tracer that has one, as in a gradient that nothing compiles; else `value` itself.

    Raises TypeError for a value that was kept beyond the end of the program that made it.
    """
    if not is_traced(value):
        return value
    try:
        return jax.lax.stop_gradient(value)
    except jax.errors.UnexpectedTracerError as error:
        raise leaked(error) from error


def _shown_value(value: RawArray) -> RawArray:
    """Return what `known_value` does, and a value that was kept beyond its program as it is: it can still be printed."""
    return known_value(value) if lost_with(value) is None else value


def is_traced(value: object) -> bool:
    """Return whether a raw value is not known yet, because a program is being compiled."""
    return isinstance(value, Tracer)


def lost_with(value: RawArray) -> jax.errors.UnexpectedTracerError | None:
    """Return JAX's error about a value that was kept beyond the end of its program; None for any other value."""
    if is_traced(value):
        try:
            jax.lax.stop_gradient(value)
        except jax.errors.UnexpectedTracerError as error:
            return error
    return None


def unwrap(value: object) -> Any:
    """Return the raw JAX value of a tensor or variable; anything else unchanged."""
    if isinstance(value, Tensor):
        return value._value
    read = getattr(value, "read_raw", None)  # variables, which are defined above this file
    return read() if read is not None else value


def raw_of(leaf: object) -> Any:
    """Return the raw value of a tensor; anything else, a variable too, unchanged."""
    return leaf._value if isinstance(leaf, Tensor) else leaf


def is_tensor(x: object) -> bool:
    """Return whether `x` is a tensor (or a JAX array, or a variable).

    >>> import hornbeam as tf
    >>> tf.is_tensor(tf.zeros(3)), tf.is_tensor([0, 0, 0])
    (True, False)
    """
    return isinstance(x, (Tensor, jax.Array)) or hasattr(x, "read_raw")


def convert_to_tensor(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return `x` as a tensor: a number, a nested list, a NumPy or JAX array, a variable, a pandas object.

    Arrays keep their types, also those of 64 bits; Python numbers are of 32 bits, whole ones of 64 where they need it.
    Raises ValueError or TypeError for what is not numeric or not rectangular.

    >>> from hornbeam import keras
    >>> print(keras.ops.convert_to_tensor([1, 2, 3], dtype="float32"))
    tf.Tensor([1. 2. 3.], shape=(3,), dtype=float32)
    """
    if dtype is None and (number := of_number(x)) is not None:
        return number
    target = None if dtype is None else canonical(dtype)
    raw: Any = list(x) if isinstance(x, range) else x
    if isinstance(raw, (list, tuple)):
        leaves = jax.tree.leaves(raw, is_leaf=is_tensor)
        if any(map(is_tensor, leaves)):
            raw = elementary["array"](raw)
        else:
            array = _from_list(raw)
            # Beside Python numbers, those of NumPy count as Python's, as in TensorFlow.
            has_types = bool(leaves) and all(map(_has_type, leaves))
            raw = array if target is not None or has_types else of_python(array)
    elif target is None and isinstance(x, (int, float, complex)) and not _has_type(x):
        raw = of_python(np.asarray(x))
    if isinstance(raw, jax.Array):
        raw = Tensor(raw)
    elif hasattr(raw, "read_value"):  # variables, which are defined above this file
        raw = raw.read_value()
    if isinstance(raw, Tensor):
        return (
            raw
            if target is None or raw._value.dtype == target
            else elementary["cast"](raw, target.name)
        )
    if not isinstance(raw, _ARRAYS) and has_conversion(raw):
        made = converted(raw, target)
        if made is not NotImplemented:
            return convert_to_tensor(made, dtype)
    array: NumpyArray = np.asarray(raw)
    kind = array.dtype.kind
    if kind in "US" or (kind in "OV" and as_dtype(array.dtype).name == "string"):
        raise invalid(_not_numeric(x, array))
    if target is not None:
        wide.check_fits(
            array, target, f"the type asked for. Take {array.dtype.name}, or tf.cast them."
        )
    made = placed(own(array), target or canonical(array.dtype))
    if is_traced(made):
        note_constant(made, array)
    return Tensor(made)


_NUMBERS = frozenset({float, int, bool})
_ARRAYS = (np.ndarray, np.generic, int, float, complex)


def of_number(value: Any) -> Tensor | None:
    """Return a Python number as a tensor of 32 bits, quickly; None where it is not one, or takes more care."""
    if type(value) not in _NUMBERS:
        return None
    if isinstance(value, bool):
        array: Any = np.bool_(value)
    elif isinstance(value, int) and wide.fits(value):
        array = np.int32(value)
    elif isinstance(value, float) and abs(value) < _LARGEST:
        array = np.float32(value)
    else:
        return None
    return None if wide.is_default() or is_tracing() else Tensor(unchanged(array))


# Above, a float32 is infinite, of which NumPy warns.
_LARGEST = float(np.finfo("float32").max)


def own(value: Any) -> Any:
    """Return a copy of a NumPy array, anything else as it is.

    JAX shares the memory of arrays or reads it later, and the user may write into them meanwhile.
    """
    return cast("Any", np).array(value) if isinstance(value, np.ndarray) else value


def _not_numeric(value: Any, array: NumpyArray) -> str:
    """Return the text for what can't become a tensor; TensorFlow's words where it has some."""
    if array.dtype.kind in "US":
        return (
            f"Expected numbers, received values of type {type(value).__name__} with NumPy dtype {array.dtype}. "
            "Strings can't become a numeric tensor: convert them first."
        )
    elements = array.ravel().tolist()
    wrong = next((each for each in elements if not isinstance(each, (int, float, complex))), value)
    if any(isinstance(each, (int, float, complex, str, bytes)) for each in elements):
        return f"Can't convert Python sequence with mixed types to Tensor. It holds a {type(wrong).__name__}."
    return f"Attempt to convert a value ({wrong!r}) with an unsupported type ({type(wrong)}) to a Tensor."


def _from_list(values: Any) -> NumpyArray:
    try:
        return np.asarray(values) if np.size(values) else np.asarray(values, dtype="float32")
    except ValueError as error:
        raise invalid(
            "Can't convert non-rectangular Python sequence to Tensor. Pad it to one length (tf.keras.utils.pad_sequences), "
            f"its parts differ: {error}",
        ) from None


def _has_type(leaf: object) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic))


def of_python(array: NumpyArray) -> NumpyArray:
    """Return an array of Python numbers in their type: 32 bits, unless a whole number needs more."""
    narrow = wide.NARROW.get(array.dtype)
    if narrow is None or array.dtype.kind == "c" or wide.is_default():
        return array
    if array.dtype.kind == "u":
        raise invalid(
            "Can't convert Python sequence with out-of-range integer to Tensor. "
            f"For up to {np.iinfo(np.uint64).max} take dtype=tf.uint64."
        )
    if array.dtype.kind == "i" and not (
        wide.fits(int(array.min())) and wide.fits(int(array.max()))
    ):
        return array
    return array.astype(narrow)
