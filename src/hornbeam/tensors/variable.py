"""`tf.Variable`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, cast

from hornbeam.core import scope
from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import OutOfRangeError, invalid
from hornbeam.core.host import is_text, strings
from hornbeam.core.index_bounds import check_indices, check_key, check_places
from hornbeam.core.names import current_path
from hornbeam.core.operators import elementary
from hornbeam.core.shapes import ShapeLike, TensorShape
from hornbeam.core.tensor import Tensor, pick
from hornbeam.core.typing import DTypeLike, NumpyArray, TensorLike
from hornbeam.core.variable import Variable as CoreVariable
from hornbeam.ops import indexing
from hornbeam.tensors.creation import constant, refuse_loss, refuse_other_kind
from hornbeam.tensors.indexed_slices import IndexedSlices
from hornbeam.tensors.variable_kinds import VariableAggregation, VariableSynchronization, kind_of


class Variable(CoreVariable):
    """A tensor that can be assigned anew, with TensorFlow's arguments.

    One of strings holds its value on the host: compiled programs refuse it, and a `tf.function` that uses it runs as Python.

    >>> import hornbeam as tf
    >>> v = tf.Variable([1.0, 2.0, 3.0])
    >>> v.assign_add([1.0, 1.0, 1.0]).numpy()
    array([2., 3., 4.], dtype=float32)
    >>> v[1:].assign([7.0, 8.0]).numpy()
    array([2., 7., 8.], dtype=float32)
    >>> word = tf.Variable("some")
    >>> word.assign(word + " text")
    <tf.Variable 'Variable:0' shape=() dtype=string, numpy=b'some text'>
    """

    def __init__(
        self,
        initial_value: TensorLike | Callable[[], TensorLike] | None = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: DTypeLike | None = None,
        import_scope: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        shape: ShapeLike = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        """`initial_value` may be a callable without arguments.

        With a `shape` that has unknown sizes, values of other sizes can be assigned. Raises ValueError where the first
        value does not fit it.
        """
        if initial_value is None:
            raise ValueError(
                "The `initial_value` arg to `tf.Variable` must be specified except when you are not providing a "
                "`variable_def`. You provided neither."
            )
        if constraint is not None and not callable(constraint):
            raise ValueError(
                f"Argument `constraint` must be None or a callable. Got a {type(constraint)}:  {constraint}"
            )
        value = initial_value() if callable(initial_value) else initial_value
        # The name that users see: TensorFlow numbers the outputs of what makes a value, and a variable has but one.
        self._shown = "/".join(filter(None, (current_path(), name or "Variable"))) + ":0"
        refuse_loss(value, dtype)
        self._is_text = is_text(value) or (dtype is not None and as_dtype(dtype) == "string")
        if self._is_text:
            value, dtype = constant(value, dtype), None
        super().__init__(
            value,
            dtype=dtype,
            trainable=trainable is not False,
            name=None if name is None else name.replace("/", "_"),
        )
        self.constraint = constraint
        self.aggregation: Any = kind_of(
            aggregation, VariableAggregation, VariableAggregation.NONE, "aggregation mode"
        )
        self.synchronization: Any = kind_of(
            synchronization,
            VariableSynchronization,
            VariableSynchronization.AUTO,
            "synchronization mode",
        )
        self._set_shape(shape)

    def _set_shape(self, shape: ShapeLike) -> None:
        """Keep a shape with unknown sizes; None where the value's own holds."""
        present = TensorShape(self._spec().shape)
        wanted = (
            present if shape is None and not isinstance(shape, TensorShape) else TensorShape(shape)
        )
        if not wanted.is_compatible_with(present):
            raise ValueError(
                f"In this `tf.Variable` creation, the initial value's shape ({present}) is not compatible with the "
                f"explicitly supplied `shape` argument ({wanted})."
            )
        self._open_shape = None if wanted.is_fully_defined() else wanted

    @property
    def name(self) -> str:
        """The name, with the name scopes that it was made in, and ":0" at its end as in TensorFlow."""
        return self._shown

    @name.setter
    def name(self, value: str) -> None:
        self._own_name = value

    @property
    def shape(self) -> TensorShape:
        """The shape; sizes that assignments may change are None."""
        return super().shape if self._open_shape is None else self._open_shape

    @property
    def variables(self) -> list[CoreVariable]:
        """The variable itself as a weight of layers; one of strings is none, for training programs can't hold it."""
        return [] if self._is_text else [self]

    def get_shape(self) -> TensorShape:
        """The shape."""
        return self.shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Take over what `shape` knows. Raises ValueError where it contradicts the variable's."""
        self.shape.merge_with(shape)

    def load_value(self, value: NumpyArray | bytes) -> None:
        """Set the value as if the variable had been made with it."""
        if self._is_text:
            self._value = cast("Any", strings(value)._value)
        else:
            super().load_value(cast("NumpyArray", value))

    def _may_take(self, shape: tuple[int, ...]) -> bool:
        return self._open_shape is not None and self._open_shape.is_compatible_with(shape)

    def value(self) -> Tensor:  # type: ignore[override]
        """The current value."""
        return self.read_value()

    @property
    def initializer(self) -> None:
        """None: variables have their values from the beginning."""
        return None

    @initializer.setter
    def initializer(self, value: object) -> None:
        """Take what the core says of how the value was drawn: it was given."""

    def _assigned(self, value: TensorLike, read_value: bool) -> Any:
        if self._is_text:
            texts = cast("Any", strings(value)._value)
            self._check_shape(texts.shape)
            scope.assign(self, texts)
        elif is_text(value):
            raise invalid(f"Cannot convert {value!r} to EagerTensor of dtype {self.dtype.name}")
        else:
            super().assign(value)
        return self if read_value else None

    def assign(
        self,
        value: TensorLike,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set the value; return the variable, or None without `read_value`.

        Raises ValueError for another shape or a tensor of another kind, and TypeError for numbers that the variable's type
        can't hold.
        """
        refuse_loss(value, self.stored_dtype)
        refuse_other_kind(value, self.stored_dtype)
        return self._assigned(value, read_value)

    def assign_add(
        self,
        delta: TensorLike,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add to the value; return the variable, or None without `read_value`."""
        self._refuse_text("assign_add", "`variable.assign(variable + text)`")
        refuse_loss(delta, self.stored_dtype)
        super().assign_add(delta)
        return self if read_value else None

    def assign_sub(
        self,
        delta: TensorLike,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract from the value; return the variable, or None without `read_value`."""
        self._refuse_text("assign_sub")
        refuse_loss(delta, self.stored_dtype)
        super().assign_sub(delta)
        return self if read_value else None

    def __getitem__(self, key: Any) -> Any:
        check_key(scope.read(self).shape, key)
        picked = elementary["getitem"](self, key)
        pick(picked, self, key)
        return picked

    def assign_item(
        self,
        key: Any,
        value: TensorLike,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Set `variable[key]`, which is what `variable[key].assign(value)` calls; return the variable."""
        refuse_loss(value, self.stored_dtype)
        refuse_other_kind(value, self.stored_dtype)
        value = strings(value) if self._is_text else value
        return self._assigned(indexing.with_item(self._read(None), key, value), read_value)

    def _refuse_text(self, what: str, instead: str = "`variable.assign(value)`") -> None:
        if self._is_text:
            raise invalid(f"`{what}` isn't defined for variables of strings; use {instead}.")

    def _scatter(self, slices: Any, how: str, batch: bool = False) -> Any:
        if not isinstance(slices, IndexedSlices):
            raise TypeError(
                f"Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {slices}"
            )
        if how != "set":
            self._refuse_text("scatter_" + how, "`scatter_update`")
        axis = slices.indices.ndim - 1 if batch else 0
        check_indices(slices.indices, scope.read(self).shape[axis], "ResourceScatterUpdate")
        new = indexing.with_rows(self._read(None), slices.indices, slices.values, how, axis)
        return self._assigned(new, True)

    def _scatter_nd(self, indices: TensorLike, updates: TensorLike, how: str) -> Any:
        if how != "set":
            self._refuse_text("scatter_nd_" + how, "`scatter_nd_update`")
        updates = strings(updates) if self._is_text else updates
        check_places(indices, scope.read(self).shape, "ResourceScatterNdUpdate")
        return self._assigned(indexing.with_places(self._read(None), indices, updates, how), True)

    def scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Set the rows that the slices name; return the variable."""
        return self._scatter(sparse_delta, "set")

    def scatter_add(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Add to the rows that the slices name; return the variable."""
        return self._scatter(sparse_delta, "add")

    def scatter_sub(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Subtract from the rows that the slices name; return the variable."""
        return self._scatter(sparse_delta, "subtract")

    def scatter_max(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Set the rows that the slices name to the larger of both; return the variable."""
        return self._scatter(sparse_delta, "max")

    def scatter_min(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Set the rows that the slices name to the smaller of both; return the variable."""
        return self._scatter(sparse_delta, "min")

    def scatter_mul(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Multiply the rows that the slices name; return the variable."""
        return self._scatter(sparse_delta, "multiply")

    def scatter_div(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Divide the rows that the slices name; return the variable."""
        return self._scatter(sparse_delta, "divide")

    def batch_scatter_update(
        self, sparse_delta: IndexedSlices, use_locking: bool = False, name: str | None = None
    ) -> Any:
        """Set, in each part along the first axes, the rows that its slices name; return the variable."""
        return self._scatter(sparse_delta, "set", batch=True)

    def scatter_nd_update(
        self, indices: TensorLike, updates: TensorLike, name: str | None = None
    ) -> Any:
        """Set the places that the rows of `indices` name; return the variable."""
        return self._scatter_nd(indices, updates, "set")

    def scatter_nd_add(
        self, indices: TensorLike, updates: TensorLike, name: str | None = None
    ) -> Any:
        """Add to the places that the rows of `indices` name; return the variable."""
        return self._scatter_nd(indices, updates, "add")

    def scatter_nd_sub(
        self, indices: TensorLike, updates: TensorLike, name: str | None = None
    ) -> Any:
        """Subtract from the places that the rows of `indices` name; return the variable."""
        return self._scatter_nd(indices, updates, "subtract")

    def sparse_read(self, indices: TensorLike, name: str | None = None) -> Any:
        """Return the rows at `indices`."""
        check_indices(indices, scope.read(self).shape[0], "ResourceGather")
        return indexing.gather(self, indices, 0, 0)

    def gather_nd(self, indices: TensorLike, name: str | None = None) -> Any:
        """Return the slices at the places that the rows of `indices` name."""
        check_places(indices, scope.read(self).shape, "ResourceGatherNd")
        return indexing.gather_nd(self, indices)

    def count_up_to(self, limit: int) -> Tensor:
        """Return the value and add 1 to the variable. Raises OutOfRangeError once `limit` is reached."""
        self._refuse_text("count_up_to")
        present = self.read_value()
        if int(present) >= limit:
            raise OutOfRangeError(None, None, f"Reached limit of {limit} [Op:ResourceCountUpTo]")
        self.assign_add(1)
        return present

    def __iadd__(self, other: object) -> NoReturn:
        raise RuntimeError(_in_place("+", "variable.assign_add(value)"))

    def __isub__(self, other: object) -> NoReturn:
        raise RuntimeError(_in_place("-", "variable.assign_sub(value)"))

    def __imul__(self, other: object) -> NoReturn:
        raise RuntimeError(_in_place("*"))

    def __itruediv__(self, other: object) -> NoReturn:
        raise RuntimeError(_in_place("/"))

    def __ipow__(self, other: object) -> NoReturn:
        raise RuntimeError(_in_place("**"))

    def __repr__(self) -> str:
        value = repr(self.read_value())
        numbers = value.partition("numpy=")[2].removesuffix(">")
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}, numpy={numbers}>"


def _in_place(sign: str, instead: str | None = None) -> str:
    instead = instead or f"variable.assign(variable {sign} value)"
    return (
        f"`variable {sign}= value` with `tf.Variable`s is not supported. Use `{instead}` to modify the variable, or "
        f"`out = variable {sign} value` if you need to get a new output Tensor."
    )
