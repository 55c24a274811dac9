"""Static shapes: a tuple that also answers to TensorFlow's questions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, cast, overload

from jax.export import is_symbolic_dim

if TYPE_CHECKING:
    from hornbeam.core.typing import Shape

Size: TypeAlias = Any
"""An int, None, or a symbolic size of `jax.export`, which calculates like an int."""


class TensorShape(tuple[Size, ...]):
    """The static shape of a tensor; an unknown dimension is None.

    A tuple in every respect; it adds the names of `tf.TensorShape`.

    >>> import hornbeam as tf
    >>> shape = tf.zeros([2, 3]).shape
    >>> print(shape, shape.as_list(), shape.rank, shape == (2, 3))
    (2, 3) [2, 3] 2 True
    """

    __slots__ = ()

    def __new__(cls, dims: Iterable[Size] = ()) -> TensorShape:
        """Dimensions are ints, None, or the symbolic sizes of `jax.export`."""
        return super().__new__(
            cls, tuple(d if d is None or type(d) is int else _size(d) for d in dims)
        )

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[int | None]:
        """The dimensions as a list."""
        return list(self)

    def as_list(self) -> list[int | None]:
        """The dimensions as a list."""
        return list(self)

    def num_elements(self) -> int | None:
        """The product of the dimensions; None where one is unknown."""
        return math.prod(self) if self.is_fully_defined() else None

    def is_fully_defined(self) -> bool:
        """Whether no dimension is unknown."""
        return None not in self

    def is_compatible_with(self, other: Iterable[int | None]) -> bool:
        """Whether both could be the shape of one tensor."""
        other = tuple(other)
        return len(self) == len(other) and all(
            a is None or b is None or a == b for a, b in zip(self, other, strict=True)
        )

    def assert_is_compatible_with(self, other: Iterable[int | None]) -> None:
        """Raise ValueError unless the shapes are compatible."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {tuple(other)} are incompatible.")

    @overload
    def __getitem__(self, key: SupportsIndex) -> Size: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: SupportsIndex | slice) -> Size | TensorShape:
        if isinstance(key, slice):
            return TensorShape(super().__getitem__(key))
        return super().__getitem__(key)

    def __add__(self, other: Iterable[Size]) -> TensorShape:
        return TensorShape(tuple(self) + tuple(other))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (
            tuple(cast("list[Size]", other)) if isinstance(other, list) else other
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __str__(self) -> str:
        return super().__repr__()

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"


def _size(value: Size) -> Size:
    return value if is_symbolic_dim(value) else int(value)


def axis_from_front(axis: int, rank: int) -> int:
    """Return the place of an axis counted from the front; ValueError where a tensor of `rank` axes has no such axis.

    >>> axis_from_front(-1, 3)
    2
    """
    if not -rank <= axis < rank:
        raise ValueError(f"there is no axis {axis} in a tensor of {rank} axes.")
    return axis % rank


def standardize_shape(shape: Shape | int | None) -> tuple[int | None, ...]:
    """Return `shape` as a tuple of ints and None; an int stands for a vector of that length.

    Raises ValueError for negative or non-integer dimensions.
    """
    if shape is None:
        raise ValueError("A shape is a tuple such as (28, 28, 1); received None.")
    if not isinstance(shape, Iterable):
        shape = (shape,)
    dims: list[int | None] = []
    for dim in shape:
        if dim is not None:
            if isinstance(dim, bool) or (not hasattr(dim, "__index__") and int(dim) != dim):
                raise ValueError(f"A shape holds integers and None; received {tuple(shape)}.")
            dim = int(dim)
            if dim < 0:
                raise ValueError(
                    f"A shape holds no negative dimension; received {tuple(shape)}. "
                    "Use None for a dimension that is not known beforehand."
                )
        dims.append(dim)
    return tuple(dims)
