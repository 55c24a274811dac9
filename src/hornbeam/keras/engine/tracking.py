"""Find the state that an object holds by reading its attributes whenever it is asked for; no second list is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from hornbeam.core.rng import SeedGenerator
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight

T = TypeVar("T")

# Attributes that hold layers or variables of other owners.
UNTRACKED = frozenset(
    {
        "_init_arguments",
        "_inbound_nodes",
        "_untracked",
        "_call_losses",
        "_kept_calls",
        "_kept_metrics",
        "_kept_weights",
        "_programs",
    }
)
# Attributes that copies and pickles start without.
NOT_COPIED = (
    "_inbound_nodes",
    "_call_losses",
    "_kept_calls",
    "_kept_metrics",
    "_kept_weights",
    "_programs",
    "_run",
)


def attributes(obj: object) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the attributes that are tracked, in the order of their first assignment."""
    for name, value in list(vars(obj).items()):
        if name not in UNTRACKED:
            yield name, value


def attribute_values(obj: object) -> Iterator[Any]:
    """Yield the values of the attributes, and in the place of lists and dicts what they hold."""
    for _, value in attributes(obj):
        yield from opened(value)


def opened(value: object) -> Iterator[Any]:
    """Yield what lists, tuples, sets and dicts hold, at any depth; yield any other value itself."""
    if isinstance(value, dict):
        for each in list(value.values()):
            yield from opened(each)
    elif isinstance(value, (list, tuple, set)):
        for each in in_order(value):
            yield from opened(each)
    else:
        yield value


def in_order(container: Iterable[Any]) -> list[Any]:
    """Return the items, those of a set by name: its own order follows addresses, and weights would change places.

    Numbers in names count as numbers, so that layers with automatic names are in the order in which they were made.
    """
    items = list(container)
    return sorted(items, key=_name_of) if isinstance(container, set) else items


def _name_of(item: object) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", str(getattr(item, "name", "")))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def own_variables(obj: object) -> list[Variable]:
    """Return the variables among the attributes, and those that weights among the attributes are computed from."""
    weights = (value for value in attribute_values(obj) if is_weight(value))
    return unique(variable for weight in weights for variable in weight.variables)


def own_seed_generators(obj: object) -> list[SeedGenerator]:
    """Return the seed generators among the attributes."""
    return unique(value for value in attribute_values(obj) if isinstance(value, SeedGenerator))


def own_metrics(obj: object) -> list[Any]:
    """Return the metrics among the attributes: objects with a method `update_state`."""
    return unique(value for value in attribute_values(obj) if hasattr(type(value), "update_state"))


def unique(items: Iterable[T]) -> list[T]:
    """Return the items without repetitions; two items are the same if they are one object."""
    return list({id(item): item for item in items}.values())
