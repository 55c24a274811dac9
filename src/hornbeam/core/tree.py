"""Nested structures of values: dicts, lists, tuples, named tuples. None is a leaf.

What comes back is as it was given: dicts keep their class and the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from hornbeam.core import ordered
from hornbeam.core.plan_keys import is_box


def _is_leaf(value: object) -> bool:
    return value is None or is_box(value)


def flatten(tree: object) -> list[Any]:
    """Return the leaves, in order; dicts by sorted key.

    >>> flatten({"b": 1, "a": [2, None]})
    [2, None, 1]
    """
    return jax.tree.leaves(ordered.sealed(tree), is_leaf=_is_leaf)


def map_structure(fn: Callable[..., Any], *trees: object) -> Any:
    """Apply `fn` to the leaves of structures of the same form.

    >>> map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2})
    {'x': 3}
    """
    return ordered.tree_map(fn, *trees, is_leaf=_is_leaf)


def pack_like(tree: object, leaves: list[Any]) -> Any:
    """Return `leaves` in the form of `tree`."""
    structure = jax.tree.structure(ordered.sealed(tree), is_leaf=_is_leaf)
    return jax.tree.unflatten(structure, leaves)


def is_nested(value: object) -> bool:
    """Return whether `value` is a dict, list or tuple."""
    return isinstance(value, (dict, list, tuple))


def flatten_up_to(tree: object, other: object) -> list[Any]:
    """Return what stands in `other` in the places of the leaves of `tree`. Raises ValueError for another form.

    >>> flatten_up_to([1, {"a": 2}], [None, {"a": [3, 4]}])
    [None, [3, 4]]
    """
    found: list[Any] = []

    def add(_: object, part: Any) -> None:
        found.append(part)

    ordered.tree_map(add, tree, other, is_leaf=_is_leaf)
    return found
