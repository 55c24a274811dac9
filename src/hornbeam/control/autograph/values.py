"""What names hold at the end of branches and turns: the arrays in it, and all else, which has to stay the same."""

# `_value` is private to the core.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from hornbeam.control.autograph.jumps import RETURN
from hornbeam.control.autograph.places import UNDEFINED, Name, text_of
from hornbeam.control.tensor_array import with_elements_of
from hornbeam.core.op import is_box
from hornbeam.core.ordered import sealed
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.typing import TreeDef
from hornbeam.core.variable import Variable

_NUMBERS = (bool, int, float, complex)


@dataclass(frozen=True, slots=True)
class Held:
    """A value, taken apart."""

    leaves: list[Any]
    tree: TreeDef

    @property
    def is_undefined(self) -> bool:
        """Whether the name has no value."""
        return len(self.leaves) == 1 and self.leaves[0] is UNDEFINED

    @property
    def is_none(self) -> bool:
        """Whether the value is None, or a structure with nothing in it."""
        return not self.leaves

    @property
    def arrays(self) -> list[Tensor]:
        """The tensors and numbers in it, as tensors."""
        return [as_tensor(leaf) for leaf in self.leaves if is_array(leaf)]

    @property
    def value(self) -> Any:
        """What was taken apart."""
        return self.tree.unflatten(self.leaves)

    def with_elements_of(self, other: Held) -> Held | None:
        """Return the same with zeros in the TensorArrays whose elements' shape `other` alone tells; None without such."""
        if self.tree == other.tree:
            return None
        grown = with_elements_of(self.value, other.value)
        return None if grown is None else hold(grown)


class _Shown(str):
    """A text that stands in a structure as it is."""

    def __repr__(self) -> str:
        return str(self)


def structure(held: Held) -> str:
    """Return how an error shows a structure: tensors by type and shape, all else as it is.

    >>> structure(hold([1, (None, "a")]))
    "[1, (None, 'a')]"
    """
    texts = [
        _Shown(f"{leaf.dtype.name}{list(leaf.shape)}" if hasattr(leaf, "dtype") else repr(leaf))
        for leaf in held.leaves
    ]
    return repr(held.tree.unflatten(texts))


def hold(value: object) -> Held:
    """Take a value apart."""
    leaves, tree = jax.tree.flatten(sealed(value, exact=False), is_leaf=is_box)
    return Held(leaves, tree)


def is_array(leaf: object) -> bool:
    """Return whether a leaf is a value that a program computes with. A variable is one where its value is meant."""
    return isinstance(leaf, (Tensor, Variable, jax.Array, np.ndarray, np.generic, *_NUMBERS))


def is_number(leaf: object) -> bool:
    """Return whether a leaf is a Python number, which takes the type of what stands beside it."""
    return isinstance(leaf, _NUMBERS)


def as_tensor(leaf: Any) -> Tensor:
    """Return an array, a number or the value of a variable as a tensor."""
    return leaf if isinstance(leaf, Tensor) else convert_to_tensor(leaf)


def is_same(one: object, other: object) -> bool:
    """Return whether two leaves are one and the same object, or equal as Python's constants are."""
    if one is other:
        return True
    plain = (*_NUMBERS, str, bytes)
    return type(one) is type(other) and isinstance(one, plain) and repr(one) == repr(other)


def shown(name: Name) -> str:
    """Return how an error calls a name."""
    return "the returned value" if name == RETURN else repr(text_of(name))


def describe(leaf: object) -> str:
    """Return a leaf for an error message."""
    if leaf is UNDEFINED:
        return "undefined"
    if is_array(leaf) and not isinstance(leaf, _NUMBERS):
        tensor = as_tensor(leaf)
        return f"a tensor of shape {tuple(tensor.shape)} and type {tensor.dtype.name}"
    return repr(leaf)


def zeros_like(tensors: Sequence[Tensor]) -> list[Any]:
    """Return raw zeros of the same shapes and types."""
    return [jax.numpy.zeros(t._value.shape, t._value.dtype) for t in tensors]
