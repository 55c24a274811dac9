"""Checks of constructor arguments that several families of layers share: early, and saying what was expected."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from hornbeam.core.errors import unknown_name


def as_count(name: str, value: Any, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`. Raises ValueError for anything else.

    >>> as_count("units", 3)
    3
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = minimum - 1
    if count < minimum:
        raise ValueError(f"`{name}` is an integer of at least {minimum}; received {value!r}.")
    return count


def as_counts(name: str, value: Any, length: int, minimum: int = 1) -> tuple[int, ...]:
    """Return `value` as a tuple of `length` ints of at least `minimum`; one integer stands for all.

    >>> as_counts("kernel_size", 3, 2)
    (3, 3)
    """
    values = tuple(value) if isinstance(value, Iterable) else (value,) * length
    try:
        counts = tuple(map(operator.index, values))
    except TypeError:
        counts = ()
    if len(counts) != length or min(counts) < minimum:
        which = "an integer" if length == 1 else f"an integer or {length} integers"
        raise ValueError(f"`{name}` is {which} of at least {minimum}; received {value!r}.")
    return counts


def as_pairs(name: str, value: Any, length: int) -> tuple[tuple[int, int], ...]:
    """Return (before, after) for each of `length` axes, from one integer, one per axis, or one pair per axis.

    >>> as_pairs("padding", (1, (2, 3)), 2)
    ((1, 1), (2, 3))
    """
    values = tuple(value) if isinstance(value, Iterable) else (value,) * length
    if len(values) != length:
        raise ValueError(
            f"`{name}` is an integer, or {length} integers or pairs of integers, one per axis; received {value!r}."
        )
    before_after = [as_counts(name, each, 2, minimum=0) for each in values]
    return tuple((before, after) for before, after in before_after)


def as_choice(name: str, value: Any, known: Iterable[str]) -> str:
    """Return `value` in lower case. Raises ValueError, which suggests similar names, unless it is one of `known`.

    >>> as_choice("padding", "SAME", ("valid", "same"))
    'same'
    """
    choice = value.lower() if isinstance(value, str) else value
    if choice not in known:
        raise unknown_name(name, value, known)
    return choice


def known_size(layer: Any, input_shape: Any, axis: int) -> int:
    """Return the size of an axis that the weights' shape depends on. Raises ValueError if it is unknown or absent."""
    if not -len(input_shape) <= axis < len(input_shape):
        raise ValueError(
            f"The layer {layer.name!r} ({type(layer).__name__}) works on axis {axis}, but its input has only "
            f"{len(input_shape)} axes: {tuple(input_shape)}."
        )
    size = input_shape[axis]
    if size is None:
        raise ValueError(
            f"The layer {layer.name!r} ({type(layer).__name__}) needs to know the size of axis {axis} of its input, "
            f"on which the shape of its weights depends; received shape {tuple(input_shape)}. Give that size in Input."
        )
    return size


def refuse(layer: Any, **arguments: Any) -> None:
    """Raise NotImplementedError for arguments of Keras that are known here, but not supported."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise NotImplementedError(
                f"{type(layer).__name__}({name}={value!r}): Hornbeam doesn't support `{name}`. Leave it out."
            )


def without_unset(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return `config` without those of `names` that are None: Keras writes some arguments only if they are set."""
    return {key: value for key, value in config.items() if value is not None or key not in names}
