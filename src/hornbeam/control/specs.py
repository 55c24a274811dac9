"""What values of TensorFlow other than tensors are, without their values; and what a value is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.control.tensor_array import TensorArray
from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.host import is_text, strings
from hornbeam.core.shapes import ShapeLike, TensorShape
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.type_specs import TensorSpec, TypeSpec
from hornbeam.core.typing import DTypeLike
from hornbeam.core.variable import Variable
from hornbeam.tensors.indexed_slices import IndexedSlices


class _PartsSpec(TypeSpec):
    """A specification that is what its parts are."""

    __slots__ = ()

    def _parts(self) -> tuple[Any, ...]:
        return ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts()

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether a value, or another specification, could be what this one says."""
        try:
            spec = type_spec_from_value(spec_or_value)
        except TypeError:
            return False
        mine, other = self._parts(), spec._parts() if type(spec) is type(self) else None
        return other is not None and all(map(_fits, mine, other))

    def is_subtype_of(self, other: TypeSpec) -> bool:
        """Return whether each value of this specification is one of the other too."""
        return (
            type(other) is type(self)
            and isinstance(other, _PartsSpec)
            and all(map(_is_within, self._parts(), other._parts()))
        )

    def most_specific_common_supertype(self, others: Sequence[TypeSpec]) -> TypeSpec | None:
        """Return the narrowest specification that all are cases of; None where there is none."""
        found = list(self._parts())
        for other in others:
            if type(other) is not type(self) or not isinstance(other, _PartsSpec):
                return None
            for place, part in enumerate(other._parts()):
                if isinstance(part, TensorShape):
                    found[place] = found[place].most_specific_compatible_shape(part)
                elif found[place] != part:
                    return None
        return type(self)(*found)


def _fits(one: Any, other: Any) -> bool:
    return one.is_compatible_with(other) if isinstance(one, TensorShape) else one == other


def _is_within(one: Any, other: Any) -> bool:
    return one.is_subtype_of(other) if isinstance(one, TensorShape) else one == other


class IndexedSlicesSpec(_PartsSpec):
    """The shape and types of a `tf.IndexedSlices`.

    >>> import hornbeam as tf
    >>> spec = tf.IndexedSlicesSpec([None, 2], indices_dtype=tf.int32)
    >>> spec.is_compatible_with(tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0])))
    True
    """

    __slots__ = ("_dense_shape_dtype", "_dtype", "_indices_dtype", "_indices_shape", "_shape")

    def __init__(
        self,
        shape: ShapeLike = None,
        dtype: DTypeLike = "float32",
        indices_dtype: DTypeLike = "int64",
        dense_shape_dtype: DTypeLike | None = None,
        indices_shape: ShapeLike = None,
    ) -> None:
        """`shape` is that of the dense tensor, `indices_shape` that of the row numbers, one axis of any size for None."""
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._indices_dtype = as_dtype(indices_dtype)
        self._dense_shape_dtype = None if dense_shape_dtype is None else as_dtype(dense_shape_dtype)
        self._indices_shape = TensorShape([None] if indices_shape is None else indices_shape)

    def _parts(self) -> tuple[Any, ...]:
        return (
            self._shape,
            self._dtype,
            self._indices_dtype,
            self._dense_shape_dtype,
            self._indices_shape,
        )

    @property
    def value_type(self) -> type:
        """`tf.IndexedSlices`."""
        return IndexedSlices


class TensorArraySpec(_PartsSpec):
    """The shape and type of the elements of a `tf.TensorArray`.

    >>> import hornbeam as tf
    >>> tf.TensorArraySpec.from_value(tf.TensorArray(tf.int32, 3, element_shape=[2]))
    TensorArraySpec(TensorShape([2]), tf.int32, False, True)
    """

    __slots__ = ("_dtype", "_dynamic_size", "_element_shape", "_infer_shape")

    def __init__(
        self,
        element_shape: ShapeLike = None,
        dtype: DTypeLike = "float32",
        dynamic_size: bool = False,
        infer_shape: bool = True,
    ) -> None:
        """`element_shape` may have unknown sizes, or be None."""
        self._element_shape = TensorShape(element_shape)
        self._dtype = as_dtype(dtype)
        self._dynamic_size = dynamic_size
        self._infer_shape = infer_shape

    @classmethod
    def from_value(cls, value: TensorArray) -> TensorArraySpec:
        """Return the specification of a TensorArray.

        >>> import hornbeam as tf
        >>> tf.TensorArraySpec.from_value(tf.TensorArray(tf.float32, 2))
        TensorArraySpec(TensorShape(None), tf.float32, False, True)
        """
        return cls(value.element_shape, value.dtype, value.dynamic_size)

    def is_compatible_with(self, other: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] - as in TensorFlow
        """Return whether a TensorArray, or another specification, could be what this one says."""
        return super().is_compatible_with(other)

    def _parts(self) -> tuple[Any, ...]:
        return self._element_shape, self._dtype, self._dynamic_size, self._infer_shape

    @property
    def value_type(self) -> type:
        """`tf.TensorArray`."""
        return TensorArray


class NoneTensorSpec(_PartsSpec):
    """What None is.

    >>> import hornbeam as tf
    >>> tf.NoneTensorSpec().is_compatible_with(None)
    True
    """

    __slots__ = ()

    @staticmethod
    def from_value(value: None) -> NoneTensorSpec:
        """Return the specification of None.

        >>> import hornbeam as tf
        >>> tf.NoneTensorSpec.from_value(None)
        NoneTensorSpec()
        """
        return NoneTensorSpec()

    @property
    def value_type(self) -> type:
        """The class of None."""
        return type(None)


class OptionalSpec(_PartsSpec):
    """What an optional value of a data set is: there, and as `element_spec` says, or not.

    >>> import hornbeam as tf
    >>> tf.OptionalSpec(tf.TensorSpec([2])) == tf.OptionalSpec(tf.TensorSpec([2]))
    True
    """

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        """`element_spec` is a specification, or a structure of them."""
        self._element_spec = element_spec

    def _parts(self) -> tuple[Any, ...]:
        return (self._element_spec,)

    @property
    def value_type(self) -> type:
        """Any class: optional values are made by data sets."""
        return object


def type_spec_from_value(value: Any) -> TypeSpec:
    """Return what `value` is: the shape and type of a tensor, a variable, an array, numbers, texts, or another value.

    Raises TypeError for what is no value of TensorFlow.

    >>> import hornbeam as tf
    >>> tf.type_spec_from_value([[1.0, 2.0]])
    TensorSpec(shape=(1, 2), dtype=tf.float32, name=None)
    """
    if isinstance(value, TypeSpec):
        return value
    if value is None:
        return NoneTensorSpec()
    if isinstance(value, TensorArray):
        return TensorArraySpec.from_value(value)
    if isinstance(value, IndexedSlices):
        sizes = value.dense_shape
        shape = [None, *value.values.shape[1:]] if sizes is None else value.shape
        kind: DType | None = None if sizes is None else sizes.dtype
        return IndexedSlicesSpec(shape, value.dtype, value.indices.dtype, kind, value.indices.shape)
    if isinstance(value, TensorShape):
        value = list(value)
    if not isinstance(value, (Tensor, Variable, np.ndarray)):
        try:
            value = strings(value) if is_text(value) else convert_to_tensor(value)
        except (TypeError, ValueError):
            raise TypeError(
                f"Could not build a TypeSpec for {value!r} of unsupported type {type(value)}."
            ) from None
    return TensorSpec(value.shape, value.dtype)
