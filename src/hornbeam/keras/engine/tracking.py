"""Finding the state that an object holds: read off its attributes when asked, kept nowhere twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hornbeam.core.rng import SeedGenerator
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight

# Attributes that hold layers or variables which belong to somebody else.
UNTRACKED = frozenset(
    {"_init_arguments", "_inbound_nodes", "_untracked", "_call_losses", "_programs"}
)
# What belongs to one object in one process; copies and pickles start without it.
NOT_COPIED = ("_inbound_nodes", "_call_losses", "_programs")


def attribute_values(obj: Any) -> Iterator[Any]:
    """The values of the attributes, in the order of their first assignment; lists and dicts are opened."""
    for name, value in list(vars(obj).items()):
        if name not in UNTRACKED:
            yield from opened(value)


def opened(value: Any) -> Iterator[Any]:
    """Yield what lists, tuples, sets and dicts hold, at any depth; anything else is its own content."""
    if isinstance(value, dict):
        for each in list(value.values()):
            yield from opened(each)
    elif isinstance(value, (list, tuple, set)):
        for each in list(value):
            yield from opened(each)
    else:
        yield value


def own_variables(obj: Any) -> list[Variable]:
    """Return the variables among the attributes, those of which other weights are made included."""
    weights = (value for value in attribute_values(obj) if is_weight(value))
    return unique(variable for weight in weights for variable in weight.variables)


def own_seed_generators(obj: Any) -> list[SeedGenerator]:
    """The seed generators among the attributes."""
    return unique(value for value in attribute_values(obj) if isinstance(value, SeedGenerator))


def own_metrics(obj: Any) -> list[Any]:
    """The metrics among the attributes, known by their method `update_state`."""
    return unique(value for value in attribute_values(obj) if hasattr(type(value), "update_state"))


def unique(items: Iterable[Any]) -> list[Any]:
    """The items without repetitions, by identity."""
    return list({id(item): item for item in items}.values())
