"""The state of callbacks as data, which a checkpoint of training stores and a resumed training sets."""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hornbeam.keras.utils.remembered import ObjectState, set_attributes


def get_state(callback: Any) -> dict[str, Any]:
    """Return what a callback has to remember when training goes on in another process.

    That is what its own `get_state()` returns, or else the attributes that its class lists in `_state_names`. The values
    are numbers, text, lists and dicts of these, and NumPy arrays.

    >>> from hornbeam import keras
    >>> stopper = keras.callbacks.EarlyStopping(patience=2)
    >>> stopper.wait = 1
    >>> get_state(stopper)["wait"]
    1
    """
    own: Callable[[], dict[str, Any]] | None = getattr(callback, "get_state", None)
    if own is not None:
        return own()
    names = getattr(type(callback), "_state_names", ())
    return {name: copy.deepcopy(getattr(callback, name)) for name in names}


def set_state(callback: Any, state: Mapping[str, Any]) -> None:
    """Set what `get_state` returned; to be called after `on_train_begin`, which resets a callback.

    Attributes that the state lacks, as one from an earlier version may, keep their values.
    """
    own: Callable[[dict[str, Any]], Any] | None = getattr(callback, "set_state", None)
    if own is not None:
        own(dict(state))
        return
    for name in getattr(type(callback), "_state_names", ()):
        if name in state:
            setattr(callback, name, copy.deepcopy(state[name]))


def tells(callback: Any) -> bool:
    """Return whether a callback says itself what it has to remember, by `get_state` or its class's own `_state_names`."""
    return hasattr(callback, "get_state") or "_state_names" in vars(type(callback))


def get_states(
    callbacks: Iterable[Any], watched: Mapping[int, ObjectState] | None = None
) -> list[dict[str, Any]]:
    """Return the class names and states of callbacks, in their order.

    `watched` has, by id, those that don't say themselves what they have to remember.
    """
    states = []
    for (name, _), each in _numbered(callbacks):
        seen = (watched or {}).get(id(each))
        more = {} if seen is None else seen.get()
        states.append({"class_name": name, "state": get_state(each), **more})
    return states


def set_states(callbacks: Iterable[Any], states: Sequence[Mapping[str, Any]]) -> None:
    """Set what `get_states` returned: the n-th callback of a class takes the n-th state of that class.

    Callbacks without a stored state stay as they are. A state without a callback is left out with a warning.
    """
    mine = dict(_numbered(callbacks))
    count: Counter[str] = Counter()
    for each in states:
        key = each["class_name"], count[each["class_name"]]
        count[each["class_name"]] += 1
        if key in mine:
            set_attributes(mine[key], each.get("attributes", {}))
            set_state(mine[key], each["state"])
        elif each["state"] or each.get("attributes"):
            warnings.warn(
                f"The stored training had a callback {key[0]} which this one lacks; its state is left out.",
                stacklevel=2,
            )


def _numbered(callbacks: Iterable[Any]) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield each callback with the name of its class and its number among those of that name."""
    count: Counter[str] = Counter()
    for callback in callbacks:
        name = type(callback).__name__
        yield (name, count[name]), callback
        count[name] += 1
