"""The state of callbacks as data, which a checkpoint of training stores and a resumed training sets."""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from hornbeam.core.user_code import warn
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
    """Return what tells each callback from others, and its state, in their order.

    `watched` has, by id, those that don't say themselves what they have to remember.
    """
    states = []
    for each in callbacks:
        seen = (watched or {}).get(id(each))
        more = {} if seen is None else seen.get()
        states.append({**_told_by(each), "state": get_state(each), **more})
    return states


def set_states(callbacks: Iterable[Any], states: Sequence[Mapping[str, Any]]) -> None:
    """Set what `get_states` returned: a callback takes the state of the one of its class that watched or wrote the same.

    Of several like it, the n-th takes the n-th state. Callbacks without a stored state stay as they are. A state without
    a callback is left out with a warning.
    """
    mine = dict(_numbered((_told_by(each), each) for each in callbacks))
    for (text, number), each in _numbered((each, each) for each in states):
        callback = mine.get((text, number))
        if callback is not None:
            set_attributes(callback, each.get("attributes", {}))
            set_state(callback, each["state"])
        elif each["state"] or each.get("attributes"):
            warn(
                f"The stored training had a callback {text} which this one lacks; its state is left out.",
            )


def _told_by(callback: Any) -> dict[str, Any]:
    """Return the name of a callback's class, and the values of its `_identity_names`; of a path, the last part."""
    names = getattr(type(callback), "_identity_names", ())
    identity = {name: os.path.basename(getattr(callback, name)) for name in names}
    return {"class_name": type(callback).__name__, "identity": identity}


def _numbered(
    told: Iterable[tuple[Mapping[str, Any], Any]],
) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield each object with a text of what it is told by, and its number among those of the same text."""
    count: Counter[str] = Counter()
    for names, each in told:
        identity = ", ".join(f"{key}={value!r}" for key, value in names["identity"].items())
        text = names["class_name"] + (f"({identity})" if identity else "")
        yield (text, count[text]), each
        count[text] += 1
