"""What decides whether a function is traced again: the key of its arguments.

Tensors and arrays count by shape and type, Python numbers and strings by their value, and any other object by being the
same one. Objects are held weakly; what was kept for one goes with it.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

import jax
import numpy as np
from jax.core import Tracer

from hornbeam.core.host import is_text
from hornbeam.core.op import is_box
from hornbeam.core.ordered import in_order, tree_map
from hornbeam.core.shapes import TensorShape
from hornbeam.core.strings import Strings
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, convert_to_tensor

T = TypeVar("T")

_PLAIN = frozenset({bool, int, str, bytes})


class Unknown(Exception):
    """Raised for arguments among which are tracers of another program, or symbolic tensors."""


class Texts(Exception):
    """Raised for arguments among which are tensors or arrays of strings: they live on the host."""


class Same:
    """An object that counts by identity."""

    __slots__ = ("__weakref__", "_hash", "target")

    def __init__(self, target: object, kept: Kept[Any]) -> None:
        """`kept` forgets its dead entries when the object is collected."""
        self._hash = id(target)
        reference = weakref.ref(kept)

        def forget(_: object) -> None:
            if (entries := reference()) is not None:
                entries.forget_dead()

        try:
            self.target: Any = weakref.ref(target, forget)
        except TypeError:  # it can't be held weakly, and lives as long as the key
            self.target = lambda: target

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Same)
            and (mine := self.target()) is not None
            and mine is other.target()
        )


class Kept(Generic[T]):
    """What was made for keys; an entry goes when one of its objects does."""

    def __init__(self) -> None:
        """Nothing is kept at first."""
        self._entries: dict[Hashable, T] = {}
        self.get = self._entries.get

    def put(self, key: Hashable, value: T) -> None:
        """Keep `value` for `key`."""
        self._entries[key] = value

    def values(self) -> list[T]:
        """Return all that is kept."""
        return list(self._entries.values())

    def forget_dead(self) -> None:
        """Drop the entries of objects that no longer live."""
        for key in list(self._entries):
            if any(type(part) is Same and part.target() is None for part in key[1:]):  # type: ignore[index]
                self._entries.pop(key, None)


def key_of(arguments: object, settings: Hashable, kept: Kept[Any]) -> tuple[Any, list[Any]]:
    """Return the key of `arguments`, and the raw arrays among them.

    Raises Unknown where a tracer or a symbolic tensor is among them, and Texts for strings in tensors and arrays.
    """
    leaves, tree = jax.tree.flatten(arguments)
    key: list[Any] = [(tree, settings)]
    arrays: list[Any] = []
    for leaf in leaves:
        kind = type(leaf)
        if isinstance(leaf, jax.Array):
            if isinstance(leaf, Tracer):
                raise Unknown
            arrays.append(leaf)
            key.append((leaf.shape, leaf.dtype))
        elif kind is jax.ShapeDtypeStruct:
            arrays.append(leaf)
            key.append((leaf.shape, leaf.dtype))
        elif kind in _PLAIN:
            key.append((kind, leaf))
        elif kind is float or kind is complex:
            key.append((kind, repr(leaf)))  # tells 0.0 from -0.0, and nan from nan it does not
        elif kind is Strings or (isinstance(leaf, (np.ndarray, np.generic)) and is_text(leaf)):
            raise Texts
        elif isinstance(leaf, (np.ndarray, np.generic)):
            as_tensors = tree_map(_on_device, arguments, is_leaf=is_box)
            return key_of(as_tensors, settings, kept)
        elif isinstance(leaf, KerasTensor):
            raise Unknown
        elif kind is TensorShape:
            key.append((TensorShape, repr(leaf)))
        else:
            key.append(Same(leaf, kept))
    return tuple(key), arrays


def _on_device(leaf: Any) -> Any:
    """Return NumPy arrays, and tensors that are kept on the host, as tensors on the device."""
    if isinstance(leaf, Tensor) and isinstance(leaf._value, np.ndarray):
        return convert_to_tensor(leaf._value)
    return convert_to_tensor(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


def tensors_in(arguments: object, arrays: Sequence[Any]) -> list[Tensor]:
    """Return the tensors in `arguments`; each of `arrays`, in order, becomes one where it is not yet."""
    leaves = filter(_is_array, jax.tree.leaves(arguments, is_leaf=is_box))
    return [
        leaf if isinstance(leaf, Tensor) else convert_to_tensor(array)
        for leaf, array in zip(leaves, arrays, strict=True)
    ]


def with_tensors(arguments: object, tensors: Sequence[Tensor]) -> Any:
    """Return `arguments` with `tensors`, in order, in the places of the tensors and arrays in it."""
    following = iter(tensors)
    leaves, tree = jax.tree.flatten(arguments, is_leaf=is_box)
    made = tree.unflatten([next(following) if _is_array(leaf) else leaf for leaf in leaves])
    return in_order(made, arguments)


def changed(arguments: Sequence[Any], before: Sequence[Any]) -> list[int]:
    """Return the places of those of `arguments` that are not in the form that `form_of` returned for them."""
    pairs = enumerate(zip(map(form_of, arguments), before, strict=True))
    return [place for place, (now, then) in pairs if now != then]


def form_of(argument: object) -> Any:
    """Return the structure of an argument and the identity of what is in it."""
    leaves, tree = jax.tree.flatten(argument, is_leaf=is_box)
    return tree, list(map(id, leaves))


def _is_array(leaf: object) -> bool:
    return isinstance(leaf, (Tensor, jax.Array, np.ndarray, np.generic))
