"""Which layers and weights train: as they are set now, or as a model kept them when it was compiled."""

from __future__ import annotations

import threading
from typing import Any

from hornbeam.keras.engine import tracking


class _Local(threading.local):
    def __init__(self) -> None:
        self.open: list[Trainability] = []


_local = _Local()


def is_trainable(holder: Any) -> bool:
    """Return the flag of a layer or variable, as the innermost open `Trainability` of this thread knows it."""
    now = bool(holder._trainable)
    return _local.open[-1].of(holder, now) if _local.open else now


class Trainability:
    """The flags of a model's layers and weights at one moment; inside `with`, `trainable` is read from here.

    Layers and weights that are made later count as they are set when `keep` sees them first.
    """

    def __init__(self, model: Any) -> None:
        """Keep the flags of `model`, its layers and their weights."""
        self._kept: dict[int, tuple[Any, bool]] = {}
        self._told: set[int] = set()
        self.keep(model)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        # In a copy the layers are others: they are found by their identity.
        vars(self).update(attributes)
        self._kept = {id(holder): (holder, flag) for holder, flag in self._kept.values()}
        self._told = set()

    def keep(self, model: Any) -> None:
        """Keep the flags of what has been made since."""
        for holder in _holders(model):
            self._kept.setdefault(id(holder), (holder, bool(holder._trainable)))

    def of(self, holder: Any, now: bool) -> bool:
        """Return the flag that was kept; `now` for what is not known here."""
        kept = self._kept.get(id(holder))
        return now if kept is None else kept[1]

    def news(self, model: Any) -> list[str]:
        """Return what differs in `model` from the flags kept here, as text; differences are told once."""
        differing = [
            holder
            for holder in _holders(model)
            if self.of(holder, now := bool(holder._trainable)) != now
        ]
        new = [holder for holder in differing if id(holder) not in self._told]
        self._told = set(map(id, differing))
        return [f"{holder.path} (now {bool(holder._trainable)})" for holder in new]

    def __enter__(self) -> Trainability:
        _local.open.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _local.open.pop()


def _holders(model: Any) -> list[Any]:
    layers = model._depth_first()
    return [*layers, *(v for layer in layers for v in tracking.own_variables(layer))]
