"""Static shapes: a tuple that also answers to TensorFlow's questions."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, cast, overload

from jax.export import is_symbolic_dim

if TYPE_CHECKING:
    from hornbeam.core.typing import Axis, Shape

Size: TypeAlias = Any
"""An int, None, or a symbolic size of `jax.export`, which calculates like an int."""

ShapeLike: TypeAlias = "Iterable[Any] | int | None"
"""What `TensorShape` takes: sizes, a single one, or None for a shape of unknown rank."""


class TensorShape(tuple[Size, ...]):
    """The static shape of a tensor; an unknown dimension is None, and so is the argument for an unknown rank.

    A tuple in every respect; it adds the names of `tf.TensorShape`.

    >>> import hornbeam as tf
    >>> shape = tf.zeros([2, 3]).shape
    >>> print(shape, shape.as_list(), shape.rank, shape == (2, 3))
    (2, 3) [2, 3] 2 True
    >>> tf.TensorShape([None, 3]).merge_with([2, None]), tf.TensorShape(None)
    (TensorShape([2, 3]), TensorShape(None))
    """

    __slots__ = ()

    def __new__(cls, dims: Iterable[Size] | int | None = ()) -> TensorShape:
        """Dimensions are ints, None, or the symbolic sizes of `jax.export`. Raises ValueError for negative ones."""
        if dims is None:
            return _UNKNOWN
        if isinstance(dims, TensorShape):
            return dims
        sizes = dims if isinstance(dims, Iterable) else (dims,)
        return super().__new__(
            cls, tuple(d if d is None or (type(d) is int and d >= 0) else _size(d) for d in sizes)
        )

    @staticmethod
    def of(sizes: tuple[Size, ...]) -> TensorShape:
        """Return the shape of an array, whose sizes need no check."""
        return cast("Any", tuple).__new__(TensorShape, sizes)

    @property
    def rank(self) -> int | None:
        """The number of axes; None where it is unknown."""
        return len(self)

    @property
    def ndims(self) -> int | None:
        """The number of axes; None where it is unknown."""
        return self.rank

    @property
    def dims(self) -> list[int | None] | None:
        """The dimensions as a list; None where their number is unknown."""
        return list(self)

    def as_list(self) -> list[int | None]:
        """The dimensions as a list. Raises ValueError where their number is unknown."""
        return list(self)

    def num_elements(self) -> int | None:
        """The product of the dimensions; None where one is unknown."""
        return math.prod(self) if self.is_fully_defined() else None

    def is_fully_defined(self) -> bool:
        """Whether no dimension is unknown."""
        return None not in self

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError where a dimension is unknown."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def is_compatible_with(self, other: ShapeLike) -> bool:
        """Whether both could be the shape of one tensor."""
        other = TensorShape(other)
        if self.rank is None or other.rank is None:
            return True
        return len(self) == len(other) and all(
            a is None or b is None or a == b for a, b in zip(self, other, strict=True)
        )

    def assert_is_compatible_with(self, other: ShapeLike) -> None:
        """Raise ValueError unless the shapes are compatible."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def assert_same_rank(self, other: ShapeLike) -> None:
        """Raise ValueError unless both have, or could have, the same number of axes."""
        other = TensorShape(other)
        if None not in (self.rank, other.rank) and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError unless the shape has, or could have, `rank` axes."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank: int) -> TensorShape:
        """Return the shape with `rank` axes; an unknown one then has unknown dimensions."""
        self.assert_has_rank(rank)
        return TensorShape([None] * rank) if self.rank is None else self

    def with_rank_at_least(self, rank: int) -> TensorShape:
        """Return the shape; ValueError where it has fewer axes than `rank`."""
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> TensorShape:
        """Return the shape; ValueError where it has more axes than `rank`."""
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def merge_with(self, other: ShapeLike) -> TensorShape:
        """Return what is known from both shapes; ValueError where they contradict each other."""
        other = TensorShape(other)
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        if self.rank is None or other.rank is None:
            return other if self.rank is None else self
        return TensorShape([b if a is None else a for a, b in zip(self, other, strict=True)])

    def concatenate(self, other: ShapeLike) -> TensorShape:
        """Return the dimensions of both, one after the other; unknown where one of them is."""
        other = TensorShape(other)
        if self.rank is None or other.rank is None:
            return TensorShape(None)
        return TensorShape((*self, *other))

    def most_specific_compatible_shape(self, other: ShapeLike) -> TensorShape:
        """Return the narrowest shape that both are cases of: dimensions that differ are unknown."""
        other = TensorShape(other)
        if self.rank is None or other.rank is None or len(self) != len(other):
            return TensorShape(None)
        return TensorShape([a if a == b else None for a, b in zip(self, other, strict=True)])

    def most_specific_common_supertype(self, others: Iterable[ShapeLike]) -> TensorShape:
        """Return the narrowest shape that all are cases of."""
        found: TensorShape = self
        for other in others:
            found = found.most_specific_compatible_shape(other)
        return found

    def is_subtype_of(self, other: ShapeLike) -> bool:
        """Whether each tensor of this shape has the other shape too."""
        other = TensorShape(other)
        if other.rank is None or self.rank is None:
            return other.rank is None
        return len(self) == len(other) and all(
            b is None or a == b for a, b in zip(self, other, strict=True)
        )

    @overload
    def __getitem__(self, key: SupportsIndex) -> Size: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: SupportsIndex | slice) -> Size | TensorShape:
        if isinstance(key, slice):
            return TensorShape.of(super().__getitem__(key))
        return super().__getitem__(key)

    def __add__(self, other: ShapeLike) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        # A tuple before a shape is left to the tuple's own `+`.
        return (
            TensorShape(cast("list[Any]", other)) + self
            if isinstance(other, list)
            else NotImplemented
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list):
            other = tuple(cast("list[Any]", other))
        elif isinstance(other, int):
            other = (other,)
        return isinstance(other, tuple) and super().__eq__(cast("tuple[Any, ...]", other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __str__(self) -> str:
        return super().__repr__()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"


class _UnknownShape(TensorShape):
    """The shape of a tensor of which not even the number of axes is known: `TensorShape(None)`."""

    __slots__ = ()

    rank = ndims = dims = None  # type: ignore[assignment]

    def as_list(self) -> list[int | None]:
        raise ValueError("as_list() is not defined on an unknown TensorShape.")

    def is_fully_defined(self) -> bool:
        return False

    def __len__(self) -> int:
        raise ValueError("Cannot take the length of shape with unknown rank.")

    def __iter__(self) -> Iterator[Size]:
        raise ValueError("Cannot iterate over a shape with unknown rank.")

    def __bool__(self) -> bool:
        return False

    @overload
    def __getitem__(self, key: SupportsIndex) -> Size: ...
    @overload
    def __getitem__(self, key: slice) -> TensorShape: ...
    def __getitem__(self, key: SupportsIndex | slice) -> Size | TensorShape:
        if not isinstance(key, slice):
            return None
        start: int = key.start or 0
        stop: int | None = key.stop
        if stop is None or key.step is not None or not 0 <= start <= stop:
            return TensorShape(None)
        return TensorShape([None] * (stop - start))

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _UnknownShape)

    def __hash__(self) -> int:
        return hash(_UnknownShape)

    def __str__(self) -> str:
        return "<unknown>"

    def __repr__(self) -> str:
        return "TensorShape(None)"

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorShape, (None,)


_UNKNOWN: TensorShape = cast("Any", tuple).__new__(_UnknownShape)


def _size(value: Size) -> Size:
    if is_symbolic_dim(value):
        return value
    try:
        size = operator.index(value)
    except TypeError:
        raise TypeError(
            f"A dimension is an integer or None; received {value!r} of type {type(value).__name__}."
        ) from None
    if size < 0:
        raise ValueError(f"Dimension {size} must be >= 0")
    return size


@overload
def as_axis(axis: int | Sequence[int]) -> int | tuple[int, ...]: ...
@overload
def as_axis(axis: Axis) -> int | tuple[int, ...] | None: ...
def as_axis(axis: Any) -> int | tuple[int, ...] | None:
    """Return axes as jax.numpy wants them: None, one int or a tuple. NumPy's numbers and known tensors are integers too."""
    if axis is None or isinstance(axis, int):
        return axis
    if getattr(axis, "shape", None) == ():
        return operator.index(axis)
    return tuple(map(operator.index, axis))


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
