"""The tensor: a thin wrapper of a `jax.Array`, or of a tracer while a program is being compiled."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbeam.core.dtypes import ALL, DType, as_dtype, canonical
from hornbeam.core.jax_typed import register_pytree_node
from hornbeam.core.operators import ElementwiseEquality, elementary
from hornbeam.core.shapes import TensorShape

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike, NumpyArray, RawArray, TensorLike
    from hornbeam.core.variable import Variable


class Tensor(ElementwiseEquality):
    """An array of numbers with a fixed shape and type that can't be changed in place.

    NumPy functions, `jax.numpy` functions and `jax.jit` take tensors as they are.

    >>> import hornbeam as tf
    >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x @ x
    <tf.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[ 7., 10.],
           [15., 22.]], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_keras_mask", "_value")

    def __init__(self, value: RawArray) -> None:
        """`value` is a `jax.Array` or tracer; use `convert_to_tensor` for anything else."""
        self._value: RawArray = value
        self._keras_mask: Any = None

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return TensorShape(self._value.shape)

    @property
    def dtype(self) -> DType:
        """The element type."""
        name = self._value.dtype.name
        return ALL.get(name) or DType(name)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def device(self) -> str:
        """Where the values lie, e.g. "TFRT_CPU_0"."""
        if is_traced(self._value):
            return ""
        if isinstance(self._value, np.ndarray):  # sizes, which never leave the host
            return "CPU"
        return ", ".join(sorted(map(str, self._value.devices())))

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self.shape

    def set_shape(self, shape: Iterable[int | None]) -> None:
        """Check that `shape` is compatible with the tensor's; nothing is changed."""
        self.shape.assert_is_compatible_with(shape)

    def ref(self) -> Reference:
        """A hashable handle, to use tensors as keys."""
        return Reference(self)

    def numpy(self) -> Any:
        """A NumPy copy of the values. Raises RuntimeError while a program is being compiled."""
        return np.array(_concrete(self, ".numpy()"))[()]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NumpyArray:
        return np.asarray(_concrete(self, "A NumPy function"), dtype=dtype)

    def __jax_array__(self) -> RawArray:
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(_concrete(self, "if / while / and / or on a tensor"))

    def __int__(self) -> int:
        return int(_concrete(self, "int()"))

    def __index__(self) -> int:
        return _concrete(self, "Use as an index").__index__()

    def __float__(self) -> float:
        return float(_concrete(self, "float()"))

    def __complex__(self) -> complex:
        return complex(_concrete(self, "complex()"))

    def __round__(self, digits: int | None = None) -> float:
        return round(float(self), digits)

    def __format__(self, spec: str) -> str:
        return format(self.numpy() if spec and not self.ndim else str(self), spec)

    def __repr__(self) -> str:
        head = f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}"
        value = known_value(self._value)
        if is_traced(value):
            return head + ", traced>"
        text = repr(np.asarray(value)) if self.ndim else repr(value.item())
        return f"{head}, numpy={chr(10) if chr(10) in text else ''}{text}>"

    def __str__(self) -> str:
        value = known_value(self._value)
        if is_traced(value):
            return repr(self)
        text = str(np.asarray(value))
        return f"tf.Tensor({chr(10) if chr(10) in text else ''}{text}, shape={self.shape}, dtype={self.dtype.name})"

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self  # values can't change, so sharing them is a copy

    def __reduce__(self) -> tuple[Any, ...]:
        return (convert_to_tensor, (self.numpy(),))


def _flatten(tensor: Tensor) -> tuple[tuple[RawArray], None]:
    return (tensor._value,), None


def _unflatten(_: None, children: Sequence[RawArray]) -> Tensor:
    return Tensor(children[0])


register_pytree_node(Tensor, _flatten, _unflatten)


class Reference:
    """A hashable handle of a tensor or variable, equal for the same object only."""

    __slots__ = ("_target",)

    def __init__(self, target: Tensor | Variable) -> None:
        """`target` is what `deref` returns."""
        self._target = target

    def deref(self) -> Tensor | Variable:
        """The tensor or variable itself."""
        return self._target

    def __hash__(self) -> int:
        return id(self._target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._target is self._target


def _concrete(tensor: Tensor, what: str) -> RawArray:
    value = known_value(tensor._value)
    if is_traced(value):
        raise RuntimeError(
            f"{what} needs the values of a tensor (shape {tensor.shape}, {tensor.dtype.name}), but they are not known "
            "yet: the function is being compiled. Use ops that stay inside the program (tf.where, tf.cond, "
            "keras.ops...), or compile the model with run_eagerly=True to look at values."
        )
    return value


def known_value(value: RawArray) -> RawArray:
    """Return the array behind a tracer that has one, as in a gradient that nothing compiles; else `value` itself."""
    if not is_traced(value):
        return value
    try:
        return jax.lax.stop_gradient(value)
    except jax.errors.UnexpectedTracerError:  # kept beyond the end of its trace
        return value


def is_traced(value: object) -> bool:
    """Return whether a raw value is not known yet, because a program is being compiled."""
    return isinstance(value, Tracer)


def unwrap(value: object) -> Any:
    """Return the raw JAX value of a tensor or variable; anything else unchanged."""
    if isinstance(value, Tensor):
        return value._value
    read = getattr(value, "read_raw", None)  # variables, which are defined above this file
    return read() if read is not None else value


def is_tensor(x: object) -> bool:
    """Return whether `x` is a tensor (or a JAX array, or a variable).

    >>> import hornbeam as tf
    >>> tf.is_tensor(tf.zeros(3)), tf.is_tensor([0, 0, 0])
    (True, False)
    """
    return isinstance(x, (Tensor, jax.Array)) or hasattr(x, "read_raw")


def convert_to_tensor(x: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return `x` as a tensor: a number, a nested list, a NumPy or JAX array, a variable, a pandas object.

    64-bit values are stored in 32 bits unless JAX's x64 mode is on. Raises ValueError or TypeError for what is not
    numeric or not rectangular.

    >>> from hornbeam import keras
    >>> print(keras.ops.convert_to_tensor([1, 2, 3], dtype="float32"))
    tf.Tensor([1. 2. 3.], shape=(3,), dtype=float32)
    """
    target = None if dtype is None else canonical(dtype)
    raw: Any = x
    if isinstance(raw, (list, tuple)):
        if any(map(is_tensor, jax.tree.leaves(raw, is_leaf=is_tensor))):
            raw = elementary["array"](raw)
        else:
            raw = _from_list(x)
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
    array: NumpyArray = np.asarray(raw)
    kind = array.dtype.kind
    if kind in "US" or (kind in "OV" and as_dtype(array.dtype).name == "string"):
        raise TypeError(
            f"Expected numbers, received values of type {type(x).__name__} with NumPy dtype {array.dtype}. "
            "Strings and ragged lists can't become a numeric tensor: convert or pad them first."
        )
    return Tensor(jnp.asarray(own(array), dtype=target or canonical(array.dtype)))


def own(value: Any) -> Any:
    """Return a copy of a NumPy array, anything else as it is.

    JAX shares the memory of arrays or reads it later, and the user may write into them meanwhile.
    """
    return cast("Any", np).array(value) if isinstance(value, np.ndarray) else value


def _from_list(values: Any) -> NumpyArray:
    try:
        return np.asarray(values) if np.size(values) else np.asarray(values, dtype="float32")
    except ValueError as error:
        raise ValueError(f"Can't make a tensor of a ragged list: {error}") from None
