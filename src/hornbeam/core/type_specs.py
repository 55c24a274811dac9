"""`tf.TensorSpec`: the shape and type of a tensor, without its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from hornbeam.core.dtypes import DType, as_dtype
from hornbeam.core.shapes import ShapeLike, TensorShape
from hornbeam.core.tensor import AnyTensor
from hornbeam.core.variable import Variable

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike


class TypeSpec:
    """What a value of TensorFlow is, without the value. `TensorSpec` is the kind for tensors.

    >>> import hornbeam as tf
    >>> isinstance(tf.TensorSpec([2]), tf.TypeSpec)
    True
    """

    __slots__ = ()

    @property
    def value_type(self) -> type:
        """The class of the values."""
        raise NotImplementedError

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether a value, or another specification, could be what this one says."""
        raise NotImplementedError

    def is_subtype_of(self, other: TypeSpec) -> bool:
        """Return whether each value of this specification is one of the other too."""
        return self == other

    def most_specific_common_supertype(self, others: Sequence[TypeSpec]) -> TypeSpec | None:
        """Return the narrowest specification that all are cases of; None where there is none."""
        return self if all(self == other for other in others) else None

    def most_specific_compatible_type(self, other: TypeSpec) -> TypeSpec:
        """Return the narrowest specification that both are cases of. Raises ValueError where there is none."""
        found = self.most_specific_common_supertype([other])
        if found is None:
            raise ValueError(f"No TypeSpec is compatible with both {self} and {other}")
        return found


class TensorSpec(TypeSpec):
    """The shape and type of a tensor, and a name for it; None stands for sizes that are not known.

    >>> import hornbeam as tf
    >>> spec = tf.TensorSpec([None, 2], tf.float32)
    >>> spec
    TensorSpec(shape=(None, 2), dtype=tf.float32, name=None)
    >>> spec.is_compatible_with(tf.ones((3, 2)))
    True
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(
        self, shape: ShapeLike, dtype: DTypeLike = "float32", name: str | None = None
    ) -> None:
        """`shape` may be None for a tensor of any number of axes."""
        if isinstance(shape, (str, bytes)):
            raise TypeError(
                f"`shape` is a list of sizes, such as [10, None], a single size or None; received {shape!r}."
            )
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """Return the specification of a tensor.

        >>> import hornbeam as tf
        >>> tf.TensorSpec.from_tensor(tf.ones((2, 3)))
        TensorSpec(shape=(2, 3), dtype=tf.float32, name=None)
        """
        if not isinstance(tensor, (AnyTensor, Variable)):
            raise ValueError(f"`tensor` should be a tf.Tensor, but got type {type(tensor)}.")
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """Return a copy of a specification, under another name if there is one.

        >>> import hornbeam as tf
        >>> tf.TensorSpec.from_spec(tf.TensorSpec([2]), name="x")
        TensorSpec(shape=(2,), dtype=tf.float32, name='x')
        """
        return cls(spec.shape, spec.dtype, name or getattr(spec, "name", None))

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name; None where none was given."""
        return self._name

    @property
    def value_type(self) -> type:
        """`tf.Tensor`."""
        return AnyTensor

    def is_compatible_with(self, spec_or_tensor: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] - as in TensorFlow
        """Return whether a tensor, an array or another specification has, or could have, the shape and type."""
        if not isinstance(spec_or_tensor, _TYPED):
            return False
        typed = cast("Any", spec_or_tensor)
        return as_dtype(typed.dtype) == self._dtype and self._shape.is_compatible_with(typed.shape)

    def is_subtype_of(self, other: TypeSpec) -> bool:
        """Return whether each tensor of this specification is one of the other too."""
        return (
            isinstance(other, TensorSpec)
            and (self._dtype, self._name) == (other.dtype, other.name)
            and self._shape.is_subtype_of(other.shape)
        )

    def most_specific_common_supertype(self, others: Sequence[TypeSpec]) -> TensorSpec | None:
        """Return the narrowest specification that all are cases of; None where types or names differ."""
        shape = self._shape
        for other in others:
            if not isinstance(other, TensorSpec):
                return None
            if (self._dtype, self._name) != (other.dtype, other.name):
                return None
            shape = shape.most_specific_compatible_shape(other.shape)
        return TensorSpec(shape, self._dtype, self._name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._name

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorSpec, self._parts()


# What has a shape and a type.
_TYPED = (AnyTensor, Variable, TensorSpec, np.ndarray, np.generic)
