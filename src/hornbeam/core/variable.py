"""A value that can change: a weight, a counter, the state of a random generator."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from hornbeam.core import config, deferred, recording, scope
from hornbeam.core.changes import note_change
from hornbeam.core.dtypes import DType, as_dtype, canonical
from hornbeam.core.handover import has_met_step, no_step
from hornbeam.core.index_bounds import check_key
from hornbeam.core.listening import local, taken_out
from hornbeam.core.memory import keep_freed_memory
from hornbeam.core.names import auto_name, current_path
from hornbeam.core.operators import ElementwiseEquality, elementary
from hornbeam.core.origins import Rounded, made_of
from hornbeam.core.shapes import TensorShape, standardize_shape
from hornbeam.core.strings import Strings
from hornbeam.core.tensor import Reference, Tensor, convert_to_tensor, is_traced, known_value
from hornbeam.core.typing import DTypeLike, Key, NumpyArray, RawArray, Shape, TensorLike
from hornbeam.core.wide import on_device

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


class Variable(ElementwiseEquality):
    """A tensor-shaped value that can be assigned anew; shape and type are fixed.

    `initializer` is a value, or a callable `(shape, dtype)`, with which `shape` must be given. Inside a program that
    Hornbeam compiles, reads and assignments are threaded through it.

    >>> from hornbeam import keras
    >>> v = keras.Variable([1.0, 2.0])
    >>> _ = v.assign_add([1.0, 1.0])
    >>> v.numpy()
    array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: TensorLike | Callable[..., Any],
        shape: Shape | int | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: object,
    ) -> None:
        """Raises ValueError where a callable `initializer` comes without a shape."""
        keep_freed_memory()  # the first weight is most often what starts JAX's threads
        if kwargs:
            raise TypeError(f"Variable received unknown arguments: {', '.join(kwargs)}.")
        if aggregation not in _AGGREGATIONS:
            raise ValueError(f"`aggregation` is one of {_AGGREGATIONS}; received {aggregation!r}.")
        self.name = name = name or auto_name("variable")
        if "/" in name:
            raise ValueError(f"A variable's name can't contain a slash; received {name!r}.")
        prefix = current_path()
        self.path = f"{prefix}/{name}" if prefix else name
        # True or False where `trainable` was set, None where it was not: then the layer around it decides.
        self._trainable: bool | None = None if trainable else False
        # False for state that training never changes by gradients, whatever `trainable` is set to around it.
        self.made_trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Callable[[Any], Any] | None = None
        self.constraint: Callable[[Any], Any] | None = None
        self.overwrite_with_gradient = False
        # True if other code may hold this very array: a training step must then work on a copy.
        self.is_lent = True
        self.initializer = initializer if callable(initializer) else None
        self._first: deferred.FirstValue | None
        self._value: jax.Array
        self._first = _first_value(initializer, shape, dtype, self.name)
        if not (callable(initializer) and deferred.note_made(self)):
            self._value = self._first.draw()
            self._first = None
        note_change()
        scope.note_made(self)

    @property
    def trainable(self) -> bool:
        """Whether training changes the value."""
        return self._trainable is not False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        note_change()

    @property
    def value(self) -> Any:
        """The current value."""
        return self.read_value()

    @property
    def variables(self) -> list[Variable]:
        """The variable itself, as every `Weight` lists those that it is made of."""
        return [self]

    def read_raw(self) -> jax.Array:
        """Return the current value as a raw JAX array, in the type that mixed precision asks for."""
        return _cast(self._read_stored(), self._autocast_dtype())

    def read_value(self) -> Tensor:
        """The current value."""
        return self._read(self._autocast_dtype())

    def _read(self, dtype: DTypeLike | None) -> Tensor:
        """Return the value in a type, by a call that recorders see."""
        stored = self._read_stored()
        if not is_traced(stored) and _is_taken(stored):
            with no_step():  # another thread trains with it
                stored = self._read_stored()
        return self.note_read(stored, dtype)

    def note_read(self, stored: jax.Array, dtype: DTypeLike | None = None) -> Tensor:
        """Return a tensor of the value `stored`, in a type; recorders see that it was read from the variable."""
        tensor = Tensor(_cast(stored, dtype))
        if recording.is_recording():
            call = recording.Call(partial(_cast, dtype=dtype), _ONE_ARGUMENT, [self], [stored])
            recording.note(call, tensor)
            recording.own(tensor)
        return tensor

    def _read_stored(self) -> jax.Array:
        value = scope.read(self)
        self.is_lent = self.is_lent or value is self._value
        return value

    def _autocast_dtype(self) -> DTypeLike | None:
        return scope.autocast_dtype() if self.autocast else None

    def assign(self, value: TensorLike) -> Tensor:
        """Set the value. Raises ValueError for another shape; numbers are cast to the variable's type."""
        tensor = _tensor(value, self.stored_dtype)
        self._check_shape(tensor._value.shape)
        tensor = convert_to_tensor(tensor, as_dtype(self._spec().dtype))
        scope.assign(self, _on_device(tensor._value))
        return tensor

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if shape != tuple(self._spec().shape) and not self._may_take(shape):
            raise ValueError(
                f"The variable {self.path!r} has shape {tuple(self.shape)}; it can't take a value of shape {shape}."
            )

    def _may_take(self, shape: tuple[int, ...]) -> bool:
        """Return whether a value of another shape than the present one's can be assigned."""
        return False

    def assign_add(self, value: TensorLike) -> Tensor:
        """Add to the value."""
        return self.assign(elementary["add"](self._read(None), self._operand(value)))

    def assign_sub(self, value: TensorLike) -> Tensor:
        """Subtract from the value."""
        return self.assign(elementary["subtract"](self._read(None), self._operand(value)))

    def _operand(self, value: TensorLike) -> Tensor:
        """Return what is added to the value: numbers have its type, unless they would lose their fractions in it."""
        if isinstance(value, (Tensor, Variable, jax.Array)) or not self.stored_dtype.is_floating:
            return _tensor(value)
        return _tensor(value, self.stored_dtype)

    def load_value(self, value: NumpyArray | bytes) -> None:
        """Set the value as if the variable had been made with it, also inside a program that is being traced.

        `value` has the variable's shape and type, and nobody else holds it.
        """
        with jax.ensure_compile_time_eval():
            self._value = on_device(np.asarray(value))
        self.is_lent = True

    def lose_value(self, why: str) -> None:
        """Leave the variable without a value until it is assigned; reading it raises RuntimeError with `why`."""
        spec = self._spec()

        def draw() -> jax.Array:
            raise RuntimeError(f"The variable {self.path!r} has no value: {why}")

        self._first = deferred.FirstValue(tuple(spec.shape), as_dtype(spec.dtype), draw)
        vars(self).pop("_value", None)

    def keep_value(self) -> Callable[[], None]:
        """Return a function that sets the value back to what it is now, whatever other threads train meanwhile."""
        with no_step():
            value = vars(self).get("_value")
            self.is_lent = True

        def restore() -> None:
            with no_step():
                if value is None:
                    vars(self).pop("_value", None)
                else:
                    self._value = value
                self.is_lent = True

        return restore

    def numpy(self) -> Any:
        """A NumPy copy of the value."""
        return self._on_host(Tensor.numpy)

    def view(self) -> NumpyArray:
        """A NumPy array of the value that can't be written; on a CPU it is no copy.

        The values stay as they are, whatever is assigned to the variable: JAX does not reuse memory that NumPy sees.
        """
        return self._on_host(np.asarray)

    def _on_host(self, read: Callable[[Tensor], Any]) -> Any:
        if local.recorders:
            taken_out(self, "`.numpy()`")
        value = scope.read(self)
        try:
            return read(Tensor(value))
        except RuntimeError:
            if isinstance(value, Tracer) or not _is_taken(value):
                raise
            with no_step():  # another thread trains with it
                return read(Tensor(scope.read(self)))

    def _settled(self, read: Callable[[Tensor], Any]) -> Any:
        """Return what `read` finds in the value, after the end of a step of another thread that has taken it over."""
        try:
            return read(self.read_value())
        except RuntimeError as error:
            if not has_met_step(error):
                raise
        with no_step():
            return read(self.read_value())

    def ref(self) -> Reference:
        """A hashable handle, to use variables as keys."""
        return Reference(self)

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return TensorShape(self._spec().shape)

    @property
    def dtype(self) -> DType:
        """The type of the value; under mixed precision, the type in which it is read."""
        stored = self.stored_dtype
        cast = scope.autocast_dtype()
        return (
            as_dtype(cast) if cast is not None and self.autocast and stored.is_floating else stored
        )

    @property
    def stored_dtype(self) -> DType:
        """The type that the value is kept in, whatever mixed precision reads it in."""
        return as_dtype(self._spec().dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._spec().shape)

    @property
    def device(self) -> str:
        """Where the values lie, as TensorFlow writes it."""
        return Tensor(scope.read(self)).device

    def __getitem__(self, key: Key) -> Any:
        check_key(self._spec().shape, key)
        return elementary["getitem"](self, key)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NumpyArray:
        return self._settled(lambda value: value.__array__(dtype))

    def __jax_array__(self) -> jax.Array:
        if local.recorders:
            taken_out(self, "a JAX function")
        return self.read_raw()

    def __len__(self) -> int:
        return len(self.read_value())

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.read_value())

    def __bool__(self) -> bool:
        return self._settled(bool)

    def __int__(self) -> int:
        return self._settled(int)

    def __index__(self) -> int:
        return self._settled(Tensor.__index__)

    def __float__(self) -> float:
        return self._settled(float)

    def __format__(self, spec: str) -> str:
        return format(self.read_value(), spec) if spec else repr(self)

    __hash__ = object.__hash__  # by identity, so that variables can be counted and collected

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        clone = object.__new__(type(self))
        memo[id(self)] = clone
        clone.__dict__.update(self.__dict__)
        if not isinstance(self._value, Strings):
            clone._value = jnp.array(self._value)
        scope.note_made(clone)
        return clone

    def __getattr__(self, name: str) -> Any:
        # Called for what is not among the attributes: a value that is not drawn yet.
        first = vars(self).get("_first")
        if name != "_value" or first is None:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
            )
        return deferred.first_read(vars(self), first)

    @property
    def is_drawn(self) -> bool:
        """Whether the variable has a value; False for an initial value that nothing has read (see `core.deferred`)."""
        return "_value" in vars(self)

    def _spec(self) -> jax.Array | deferred.FirstValue:
        """Return what has the shape and the type of the value, without drawing it."""
        return vars(self).get("_value", self._first)

    def __repr__(self) -> str:
        text = np.array2string(self.view(), separator=", ", threshold=20)
        return f"<Variable path={self.path}, shape={self.shape}, dtype={as_dtype(self._value.dtype).name}, value={text}>"


# The structure of the arguments of a function that takes one value.
_ONE_ARGUMENT = jax.tree.structure(((0,), {}))


def _is_taken(value: object) -> bool:
    """Return whether a step has taken an array over. Scopes may hold arrays of NumPy, which nobody takes."""
    return isinstance(value, jax.Array) and value.is_deleted()


def _cast(value: jax.Array, dtype: DTypeLike | None) -> jax.Array:
    """Return a floating `value` in the type that mixed precision asks for, any other as it is."""
    if dtype is None or value.dtype == dtype or not jnp.issubdtype(value.dtype, jnp.floating):
        return value
    # A kernel that rounds the stored value by itself saves a pass over memory, here and in the gradient.
    return made_of(value.astype(dtype), Rounded(value))


def _on_device(value: RawArray) -> jax.Array:
    """Return a tensor's raw value as a JAX array; sizes, as `tf.shape` returns them, are NumPy arrays until here."""
    return on_device(value) if isinstance(value, np.ndarray) else value


def _tensor(value: TensorLike, dtype: DTypeLike | None = None) -> Tensor:
    """Return what is assigned, or added to the value, as a tensor; numbers are constants of a program."""
    if isinstance(value, (Tensor, Variable)):
        return convert_to_tensor(value)
    if isinstance(value, jax.Array):
        return Tensor(value)
    with jax.ensure_compile_time_eval():
        return convert_to_tensor(value, dtype)


def _first_value(
    initializer: TensorLike | Callable[..., Any],
    shape: Shape | int | None,
    dtype: DTypeLike | None,
    name: str,
) -> deferred.FirstValue:
    """Return the shape and type of the first value, and how it is drawn. Raises ValueError where they don't fit."""
    if not callable(initializer):
        # The first value is a constant even where the variable is made inside a program that is being traced.
        with jax.ensure_compile_time_eval(), scope.autocast(None):
            value = _on_device(convert_to_tensor(initializer, dtype)._value)
        known_value(value)  # raises for one that was kept beyond the end of its program
        if shape is not None and value.shape != standardize_shape(shape):
            raise ValueError(
                f"The first value of {name!r} has shape {value.shape}, but `shape` says {shape}."
            )
        return deferred.FirstValue(value.shape, as_dtype(value.dtype), lambda: value)
    if shape is None:
        raise ValueError(
            f"The variable {name!r} has a callable initializer, {initializer!r}, and no shape. Pass `shape`."
        )
    sizes = standardize_shape(shape)
    if None in sizes:
        raise ValueError(f"The variable {name!r} needs a shape without None; received {sizes}.")
    known = cast("tuple[int, ...]", sizes)
    wanted = as_dtype(canonical(dtype or config.floatx()))
    return deferred.FirstValue(known, wanted, lambda: _drawn(initializer, known, wanted, name))


def _drawn(
    initializer: Callable[..., Any], shape: tuple[int, ...], dtype: DType, name: str
) -> jax.Array:
    """Return the value that an initializer draws."""
    with jax.ensure_compile_time_eval(), scope.autocast(None):
        value = _on_device(convert_to_tensor(initializer(shape, dtype=dtype.name), dtype)._value)
    if value.shape != shape:
        raise ValueError(
            f"The initializer of {name!r} returned shape {value.shape}; the variable has shape {shape}."
        )
    return value
