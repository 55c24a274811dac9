"""Structures that come back as they were written: dicts keep their class and the order of their keys.

`jax.tree` and all of JAX's transformations sort the keys of dicts on the way back, and take dicts of other classes for leaves.
Users pair outputs by place (`zip(names, outputs.values())`), so what goes back to them is made here. Leaves are visited in
the order of `jax.tree`: dicts by sorted key, so that both can be used on one structure.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from hornbeam.core.jax_typed import register_pytree_node

Pairs: TypeAlias = dict[Any, Any]

# Never a structure, so `jax.tree` need not be asked.
_LEAVES = frozenset({bool, int, float, complex, str, bytes, np.ndarray})
# `type`, which leaves open what the class is of.
_class_of: Callable[[Any], Any] = type


def tree_map(
    fn: Callable[..., Any],
    tree: Any,
    *others: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """Return what `jax.tree.map` does, with the dicts in it as they are in `tree`. None is no leaf.

    Raises ValueError where one of `others` is of another form.

    >>> tree_map(lambda a, b: a + b, {"z": 1, "a": 2}, {"a": 10, "z": 20})
    {'z': 21, 'a': 12}
    """
    kind = _class_of(tree)
    if kind in _LEAVES or isinstance(tree, jax.Array) or (is_leaf is not None and is_leaf(tree)):
        return fn(tree, *others)
    if _is_dict(tree):
        keys = keys_of(tree)
        for other in others:
            if not _is_dict(other) or other.keys() != tree.keys():
                raise _differs(tree, other)
        parts = {
            key: tree_map(fn, tree[key], *(each[key] for each in others), is_leaf=is_leaf)
            for key in keys
        }
        return filled(emptied(tree), [(key, parts[key]) for key in tree])
    if _is_sequence(kind):
        for other in others:
            if _class_of(other) is not kind or len(other) != len(tree):
                raise _differs(tree, other)
        made = [tree_map(fn, *each, is_leaf=is_leaf) for each in zip(tree, *others, strict=True)]
        return _sequence(kind, made)
    return None if tree is None else jax.tree.map(fn, tree, *others, is_leaf=is_leaf)


def in_order(made: Any, given: Any) -> Any:
    """Return `made`, in which JAX has sorted the keys of dicts, with the dicts of `given`, of the same form.

    >>> in_order([{"a": 1, "z": 2}], [{"z": None, "a": None}])
    [{'z': 2, 'a': 1}]
    """
    if _is_dict(given) and _is_dict(made):
        pairs = [(key, in_order(made[key], each)) for key, each in given.items()]
        return filled(emptied(given), pairs)
    kind = _class_of(given)
    if _class_of(made) is kind and _is_sequence(kind):
        return _sequence(kind, [in_order(*each) for each in zip(made, given, strict=True)])
    return made


def sealed(tree: Any, exact: bool = True) -> Any:
    """Return a structure that JAX takes apart and puts together again as it is: what comes back holds the dicts themselves.

    Two structures whose dicts differ in the order of their keys are two forms, unless they are not `exact`.

    >>> jax.jit(lambda: sealed({"z": 1.0, "a": 2.0}))().keys()
    dict_keys(['z', 'a'])
    """
    if _is_dict(tree):
        return _Sealed(tree, exact)
    kind = _class_of(tree)
    if _is_sequence(kind) and any(map(_may_hold, tree)):
        return _sequence(kind, [sealed(each, exact) for each in tree])
    return tree


def sealed_call(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call, sealed one by one."""
    args = sealed(args)
    return args, {name: sealed(each) for name, each in kwargs.items()} if kwargs else kwargs


def _is_dict(value: Any) -> bool:
    return isinstance(value, dict)


def _is_sequence(kind: Any) -> bool:
    """Return whether `jax.tree` looks into a class: a list, a tuple or a named tuple."""
    return kind is tuple or kind is list or hasattr(kind, "_fields")


def _sequence(kind: Any, parts: list[Any]) -> Any:
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def _may_hold(value: object) -> bool:
    return isinstance(value, (dict, list, tuple))


def keys_of(pairs: Pairs) -> list[Any]:
    """Return the keys of a dict in the order in which `jax.tree` visits them: as they are where they can't be sorted."""
    if isinstance(pairs, OrderedDict):
        return list(pairs)
    try:
        return sorted(pairs)
    except TypeError:
        return list(pairs)


def emptied(pairs: Pairs) -> Pairs:
    """Return a dict of the same class, such as an OrderedDict or a defaultdict, without the values."""
    if type(pairs) is dict:
        return {}
    try:
        empty = copy.copy(pairs)
        empty.clear()
    except Exception:  # a class of the user's that is made otherwise
        return {}
    return empty


def filled(empty: Pairs, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
    """Return a dict like `empty` with these keys and values, in their order."""
    if type(empty) is dict:
        return dict(pairs)
    made = copy.copy(empty)
    made.update(pairs)
    return made


class _Sealed:
    """A dict on its way through JAX."""

    __slots__ = ("exact", "pairs")

    def __init__(self, pairs: Pairs, exact: bool) -> None:
        self.pairs = pairs
        self.exact = exact


class _Form:
    """A dict without its values."""

    __slots__ = ("empty", "keys", "order", "what")

    def __init__(self, pairs: Pairs, exact: bool) -> None:
        self.keys, self.order, self.empty = keys_of(pairs), list(pairs), emptied(pairs)
        self.what = type(pairs), frozenset(self.order), tuple(self.order) if exact else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Form) and self.what == other.what

    def __hash__(self) -> int:
        return hash(self.what)

    def __repr__(self) -> str:
        return repr(self.order)


def _flatten(value: _Sealed) -> tuple[list[Any], _Form]:
    form = _Form(value.pairs, value.exact)
    return [sealed(value.pairs[key], value.exact) for key in form.keys], form


def _unflatten(form: _Form, children: Sequence[Any]) -> Pairs:
    values = dict(zip(form.keys, children, strict=True))
    return filled(form.empty, [(key, values[key]) for key in form.order])


register_pytree_node(_Sealed, _flatten, _unflatten)


def _differs(tree: Any, other: Any) -> ValueError:
    return ValueError(f"Two structures differ: {_shown(tree)} and {_shown(other)}.")


def _shown(tree: Any) -> str:
    name = _class_of(tree).__name__
    if _is_dict(tree):
        return f"a {name} of {list(tree)}"
    return f"a {name} of {len(tree)}" if _is_sequence(_class_of(tree)) else f"a {name}"
