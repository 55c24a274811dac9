"""The Python operators, once for tensors, variables and symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hornbeam.core.error_types import InvalidArgumentError

if TYPE_CHECKING:
    from hornbeam.core.typing import Key, TensorLike

# Filled by `core.arithmetic` and, for `@`, casts and lists, by `ops`, which need the tensor types that derive from
# `Operators`: the table breaks that circle.
elementary: dict[str, Callable[..., Any]] = {}


class Operators:
    """Arithmetic, comparison, logic and indexing through the elementary ops."""

    __slots__ = ()
    __array_priority__ = 100  # `ndarray * tensor` is left to our `__rmul__`

    def __getitem__(self, key: Key) -> Any:
        return elementary["getitem"](self, key)

    def __neg__(self) -> Any:
        return elementary["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return elementary["absolute"](self)

    def __invert__(self) -> Any:
        return elementary["invert"](self)

    def __add__(self, other: TensorLike) -> Any:
        return elementary["add"](self, other)

    def __radd__(self, other: TensorLike) -> Any:
        return elementary["add"](other, self)

    def __sub__(self, other: TensorLike) -> Any:
        return elementary["subtract"](self, other)

    def __rsub__(self, other: TensorLike) -> Any:
        return elementary["subtract"](other, self)

    def __mul__(self, other: TensorLike) -> Any:
        return elementary["multiply"](self, other)

    def __rmul__(self, other: TensorLike) -> Any:
        return elementary["multiply"](other, self)

    def __truediv__(self, other: TensorLike) -> Any:
        return elementary["divide"](self, other)

    def __rtruediv__(self, other: TensorLike) -> Any:
        return elementary["divide"](other, self)

    def __floordiv__(self, other: TensorLike) -> Any:
        return elementary["floor_divide"](self, other)

    def __rfloordiv__(self, other: TensorLike) -> Any:
        return elementary["floor_divide"](other, self)

    def __mod__(self, other: TensorLike) -> Any:
        return elementary["mod"](self, other)

    def __rmod__(self, other: TensorLike) -> Any:
        return elementary["mod"](other, self)

    def __pow__(self, other: TensorLike) -> Any:
        return elementary["power"](self, other)

    def __rpow__(self, other: TensorLike) -> Any:
        return elementary["power"](other, self)

    def __matmul__(self, other: TensorLike) -> Any:
        return elementary["matmul"](self, other)

    def __rmatmul__(self, other: TensorLike) -> Any:
        return elementary["matmul"](other, self)

    def __and__(self, other: TensorLike) -> Any:
        return elementary["bitwise_and"](self, other)

    def __rand__(self, other: TensorLike) -> Any:
        return elementary["bitwise_and"](other, self)

    def __or__(self, other: TensorLike) -> Any:
        return elementary["bitwise_or"](self, other)

    def __ror__(self, other: TensorLike) -> Any:
        return elementary["bitwise_or"](other, self)

    def __xor__(self, other: TensorLike) -> Any:
        return elementary["bitwise_xor"](self, other)

    def __rxor__(self, other: TensorLike) -> Any:
        return elementary["bitwise_xor"](other, self)

    def __lt__(self, other: TensorLike) -> Any:
        return elementary["less"](self, other)

    def __le__(self, other: TensorLike) -> Any:
        return elementary["less_equal"](self, other)

    def __gt__(self, other: TensorLike) -> Any:
        return elementary["greater"](self, other)

    def __ge__(self, other: TensorLike) -> Any:
        return elementary["greater_equal"](self, other)


class ElementwiseEquality(Operators):
    """`==` and `!=` compare elements, as in NumPy, `/` and `//` divide as in TensorFlow; symbolic tensors differ in all."""

    __slots__ = ()

    def __truediv__(self, other: TensorLike) -> Any:
        return elementary["true_quotient"](self, other)

    def __rtruediv__(self, other: TensorLike) -> Any:
        return elementary["true_quotient"](other, self)

    def __floordiv__(self, other: TensorLike) -> Any:
        return elementary["floor_quotient"](self, other)

    def __rfloordiv__(self, other: TensorLike) -> Any:
        return elementary["floor_quotient"](other, self)

    def __eq__(self, other: object) -> Any:
        return False if other is None else _compared("equal", self, other)

    def __ne__(self, other: object) -> Any:
        return True if other is None else _compared("not_equal", self, other)

    __hash__ = None  # type: ignore[assignment]


def _compared(name: str, one: Any, other: Any) -> Any:
    """Compare elements. What has elements of other shapes is not equal as a whole, as in TensorFlow."""
    try:
        return elementary[name](one, other)
    except InvalidArgumentError:
        if _is_of_other_shape(one, other):
            return elementary[name](0, 1)
        raise


def _is_of_other_shape(one: Any, other: Any) -> bool:
    """Return whether two shapes, as far as they are known, can't be broadcast."""
    shapes = [tuple(getattr(each, "shape", ())) for each in (one, other)]
    pairs = zip(*(reversed(shape) for shape in shapes), strict=False)
    return any(a != b and 1 not in (a, b) for a, b in pairs)
