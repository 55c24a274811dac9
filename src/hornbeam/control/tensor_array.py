"""`tf.TensorArray`: a list of tensors that loops of programs can fill."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from hornbeam import ops
from hornbeam.core import scope
from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.error_types import OutOfRangeError, invalid
from hornbeam.core.jax_typed import register_pytree_node
from hornbeam.core.ordered import sealed
from hornbeam.core.shapes import TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor, is_traced, known_value, unwrap


class TensorArray:
    """A list of tensors of one type; `write` returns the list to go on with.

    In a program the number of elements is fixed, and all have one shape: `element_shape`, or that of what is written
    first. With `dynamic_size` outside of loops of programs the list grows.

    >>> import hornbeam as tf
    >>> squares = tf.TensorArray(tf.int32, size=3)
    >>> for i in range(3):
    ...     squares = squares.write(i, i * i)
    >>> squares.stack().numpy()
    array([0, 1, 4], dtype=int32)
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        """`size` is the number of elements, 0 where it is left out."""
        if dtype is None:
            raise ValueError("A TensorArray needs a `dtype`.")
        self._dtype = as_dtype(dtype)
        self._dynamic = bool(dynamic_size)
        self._element_shape = None if element_shape is None else tuple(TensorShape(element_shape))
        self._items: list[Tensor | None] = [None] * _index(0 if size is None else size, "a size")
        # In place of the items: all of them, stacked.
        self._buffer: Tensor | None = None

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether the list grows."""
        return self._dynamic

    @property
    def element_shape(self) -> TensorShape:
        """The shape of the elements, as far as it is known."""
        found = self._shape()
        return TensorShape(None if found is None else found)

    @property
    def flow(self) -> Tensor:
        """A number, for programs that carry it on."""
        return convert_to_tensor(0.0)

    def size(self, name: str | None = None) -> Tensor:
        """Return the number of elements."""
        return convert_to_tensor(np.int32(self._count()))

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return the list with an element replaced. Raises OutOfRangeError for an index beyond a fixed size."""
        tensor = self._element(value)
        place = known_value(unwrap(index))
        made = self._to_change()
        if is_traced(place) and made._dynamic:
            raise RuntimeError(
                "A TensorArray that grows (dynamic_size=True) needs the values of its indices, but they are not known yet: "
                "the function is being compiled. Give the final `size`, and leave dynamic_size out."
            )
        if is_traced(place) or made._buffer is not None:
            buffer = made._stacked(tuple(tensor.shape))
            starts = [index, *[0] * tensor.ndim]
            made._buffer = ops.slice_update(buffer, starts, ops.expand_dims(tensor, 0))
            return made
        number = int(place)
        if number >= len(made._items) and made._dynamic:
            made._items += [None] * (number + 1 - len(made._items))
        made._check(number, "write to")
        made._items[number] = tensor
        return made

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Return an element. Raises OutOfRangeError for one that is not there or was not written."""
        place = known_value(unwrap(index))
        if self._buffer is None and not is_traced(place):
            self._check(int(place), "read from")
            item = self._items[int(place)]
            if item is not None:
                return item
            if self._element_shape is None or None in self._element_shape:
                raise OutOfRangeError(
                    None, None, f"Element {int(place)} of the TensorArray was not written."
                )
            return ops.zeros(self._element_shape, self._dtype)
        return self._stacked(None)[index]

    def stack(self, name: str | None = None) -> Tensor:
        """Return all elements along a new first axis."""
        return self._stacked(None)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the elements at `indices` along a new first axis."""
        return ops.take(self._stacked(None), indices, axis=0)

    def concat(self, name: str | None = None) -> Tensor:
        """Return all elements, joined along their first axis."""
        written = self._written()
        if written and len(written) == len(self._items):
            return ops.concatenate(written, axis=0)
        stacked = self._stacked(None)
        return ops.reshape(stacked, (-1, *stacked.shape[2:]))

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Return the list of the slices of `value` along its first axis."""
        made = self._to_change()
        made._buffer, made._items = self._element(value), []
        return made

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return the list with the slices of `value` in the places `indices`."""
        made, tensor = self, self._element(value)
        for i, place in enumerate(convert_to_tensor(indices)):
            made = made.write(place, tensor[i])
        return made

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Return the list of the parts of `value` with these lengths along its first axis."""
        made, tensor, start = self._to_change(), self._element(value), 0
        made._items, made._buffer = [], None
        for length in np.asarray(unwrap(lengths)).tolist():
            made._items.append(tensor[start : start + length])
            start += length
        return made

    def identity(self) -> TensorArray:
        """Return the list."""
        return self

    def close(self, name: str | None = None) -> None:
        """Do nothing; the list goes when nobody holds it."""

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> Any:
        """Raise NotImplementedError: gradients go through `read` and `stack` by themselves."""
        raise NotImplementedError("A TensorArray has no gradient of its own: use tf.GradientTape.")

    def __repr__(self) -> str:
        return f"<tf.TensorArray of {self._count()} {self._dtype.name} elements, shape {self.element_shape}>"

    def with_elements_like(self, other: TensorArray) -> TensorArray:
        """Return a list of zeros where the shape of the elements is known from `other` alone."""
        shape = other._shape()
        if self._buffer is not None or shape is None:
            return self
        made = _copy(self)
        made._buffer, made._items = made._stacked(shape), []
        return made

    def _count(self) -> int:
        return len(self._items) if self._buffer is None else int(self._buffer.shape[0])

    def _shape(self) -> tuple[Any, ...] | None:
        if self._buffer is not None:
            return tuple(self._buffer.shape[1:])
        written = self._written()
        return tuple(written[0].shape) if written else self._element_shape

    def _to_change(self) -> TensorArray:
        """Return the list itself outside of programs, as TensorFlow changes it; in them a copy."""
        return _copy(self) if scope.is_open() else self

    def _element(self, value: Any) -> Tensor:
        tensor = convert_to_tensor(value) if hasattr(value, "dtype") else convert_to_tensor(value, self._dtype)  # fmt: skip
        if as_dtype(tensor.dtype) != self._dtype:
            raise invalid(
                f"TensorArray dtype is {self._dtype.name} but received a value of type {as_dtype(tensor.dtype).name}. Cast it."
            )
        return tensor

    def _check(self, place: int, what: str) -> None:
        if not 0 <= place < self._count():
            raise OutOfRangeError(
                None,
                None,
                f"Tried to {what} element {place} of a TensorArray of {self._count()} elements. Give a larger `size`, or "
                "dynamic_size=True.",
            )

    def _stacked(self, shape: tuple[Any, ...] | None) -> Tensor:
        """Return all elements in one tensor, zeros for those that were not written."""
        if self._buffer is not None:
            return self._buffer
        known = self._shape() if shape is None or self._shape() is not None else shape
        if known is None or None in known:
            if not self._items:
                return ops.zeros((0, *(n or 0 for n in known or ())), self._dtype)
            raise ValueError(
                "The elements of the TensorArray have no known shape yet: write one, or give `element_shape`. `write` returns "
                "the array that holds the value: array = array.write(i, value)."
            )
        if not (written := self._written()):
            return ops.zeros((len(self._items), *known), self._dtype)
        if len(written) == len(self._items):
            return ops.stack(written)
        zeros = ops.zeros(known, self._dtype)
        return ops.stack([zeros if item is None else item for item in self._items])

    def _written(self) -> list[Tensor]:
        return [item for item in self._items if item is not None]


def is_array(value: object) -> bool:
    """Return whether `value` is a TensorArray."""
    return isinstance(value, TensorArray)


def with_elements_of(values: Any, others: Any) -> Any:
    """Return `values` with zeros in the places of TensorArrays the shape of whose elements only `others` tells.

    None where there is none, or the structures differ.
    """
    mine, tree = jax.tree.flatten(sealed(values, exact=False), is_leaf=is_array)
    theirs = jax.tree.leaves(others, is_leaf=is_array)
    if len(mine) != len(theirs) or not any(map(is_array, mine)):
        return None
    pairs = list(zip(mine, theirs, strict=True))
    made = [a.with_elements_like(b) if is_array(a) and is_array(b) else a for a, b in pairs]
    return None if all(x is a for x, a in zip(made, mine, strict=True)) else tree.unflatten(made)


def _copy(array: TensorArray) -> TensorArray:
    made = object.__new__(TensorArray)
    vars(made).update(vars(array))
    made._items = list(array._items)
    return made


def _index(value: Any, what: str) -> int:
    known = known_value(unwrap(value))
    if is_traced(known):
        raise RuntimeError(
            f"A TensorArray needs the values of {what}, but they are not known yet: the function is being compiled. Use a "
            "Python number or a static shape."
        )
    return int(np.asarray(known))


def _flatten(array: TensorArray) -> tuple[Sequence[Any], Any]:
    shape = array._shape()
    kind = array._dtype, array._dynamic, array._count()
    if shape is None or None in shape:
        return (), (*kind, None)
    return (array._stacked(None),), (*kind, shape)


def _unflatten(kind: Any, children: Sequence[Any]) -> TensorArray:
    dtype, dynamic, count, shape = kind
    made = object.__new__(TensorArray)
    made._dtype, made._dynamic, made._element_shape = dtype, dynamic, shape
    made._items, made._buffer = ([None] * count, None) if not children else ([], children[0])
    return made


register_pytree_node(TensorArray, _flatten, _unflatten)
