"""Which layers and weights train: as they are set now, or as a model kept them when it was compiled.

The flag of a layer or weight is True or False where `trainable` was set, and None where it was not: then the layer around
it decides. Setting it for a layer also sets the layers and weights inside, so that the last value counts for each of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from hornbeam.core.changes import note_change
from hornbeam.core.variable import Variable
from hornbeam.core.weight import is_weight
from hornbeam.keras.engine import tracking

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

Holder: TypeAlias = "Layer | Variable"
"""What has a flag `trainable`."""


class _Local(threading.local):
    def __init__(self) -> None:
        self.open: list[Trainability] = []


_local = _Local()


# Reading


def _flag(holder: Holder) -> bool | None:
    """Return the flag of a layer or weight, as the innermost open `Trainability` of this thread knows it."""
    return _local.open[-1].of(holder) if _local.open else holder._trainable


def is_trainable(holder: Holder) -> bool:
    """Return whether a layer or weight trains by itself, whatever is around it."""
    return _flag(holder) is not False


def trainable_weights(layer: Layer) -> list[Variable]:
    """Return the weights that training changes: none of a frozen layer, else those that are not frozen inside."""
    return find_trainable(layer) if _local.open else layer._kept_weights.found(layer)


def find_trainable(layer: Layer) -> list[Variable]:
    """Return the same, by a walk over all that the layer holds."""
    if not is_trainable(layer):
        return []
    frozen: set[int] = set()
    seen: set[tuple[int, bool]] = set()

    def walk(each: Layer, inside_frozen: bool) -> None:
        flag = _flag(each)
        is_frozen = inside_frozen if flag is None else not flag
        if (id(each), is_frozen) in seen:
            return
        seen.add((id(each), is_frozen))
        if is_frozen:  # where a flag was set, the weights that the layer had then have got it too
            own = each._own_weights()
            frozen.update(id(v) for v in own if flag is None or _flag(v) is None)
        for inner in each.sublayers():
            walk(inner, is_frozen)

    walk(layer, False)
    return [v for v in layer.weights if is_trainable(v) and id(v) not in frozen]


# Setting


def set_trainable(layer: Layer, value: bool) -> None:
    """Freeze or thaw the layer with its weights and all layers inside it."""
    for each in layer._depth_first():
        _set_flag(each, value)
    note_change()


def freeze(value: object) -> None:
    """Freeze the layers and weights in `value`, which has become part of a frozen layer.

    Layers whose own flag was set keep it, and so does what is inside them.
    """
    for each in tracking.opened(value):
        if is_weight(each):
            _set_flags(each.variables, False)
        elif hasattr(type(each), "sublayers") and each._trainable is None:
            _set_flag(each, False)
            freeze(each.sublayers())
    note_change()


def restore_trainable(model: Layer, value: bool) -> None:
    """Set the flag of a model made from a configuration, in which each layer has read its own."""
    if not value:
        for inner in model.sublayers():
            inner._trainable = is_trainable(inner)
        model._trainable = False
        note_change()


def _set_flag(layer: Layer, value: bool) -> None:
    layer._trainable = value
    _set_flags(tracking.own_variables(layer), value)


def _set_flags(variables: Iterable[Variable], value: bool) -> None:
    for variable in variables:
        if variable.made_trainable:
            variable._trainable = value


# Keeping


class Trainability:
    """The flags of a model's layers and weights at one moment; inside `with`, `trainable` is read from here.

    Layers and weights that are made later count as they are set when `keep` sees them first.
    """

    def __init__(self, model: Layer) -> None:
        """Keep the flags of `model`, its layers and their weights."""
        self._kept: dict[int, tuple[Holder, bool | None]] = {}
        self._told: set[int] = set()
        self.keep(model)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        # In a copy the layers are others: they are found by their identity.
        vars(self).update(attributes)
        self._kept = {id(holder): (holder, flag) for holder, flag in self._kept.values()}
        self._told = set()

    def keep(self, model: Layer) -> None:
        """Keep the flags of what has been made since."""
        for layer in model._depth_first():
            _, flag = self._kept.setdefault(id(layer), (layer, layer._trainable))
            is_changed = self._differs(layer)
            for variable in tracking.own_variables(layer):
                # A weight made after its layer was frozen or thawed counts as if it had been there before.
                before = variable.made_trainable and flag is not False
                now = before if is_changed else variable._trainable
                self._kept.setdefault(id(variable), (variable, now))

    def of(self, holder: Holder) -> bool | None:
        """Return the flag that was kept; the present one for what is not known here."""
        kept = self._kept.get(id(holder))
        return holder._trainable if kept is None else kept[1]

    def news(self, model: Layer) -> list[str]:
        """Return what differs in `model` from the flags kept here, as text; differences are told once.

        Weights that changed together with their layer are not listed.
        """
        differing = [holder for holder in _holders(model) if self._differs(holder)]
        layers = [holder for holder in differing if not isinstance(holder, Variable)]
        implied = {id(v) for layer in layers for v in tracking.own_variables(layer)}
        new = [
            holder
            for holder in differing
            if id(holder) not in self._told and id(holder) not in implied
        ]
        self._told = set(map(id, differing))
        return [f"{holder.path} (now {holder._trainable is not False})" for holder in new]

    def _differs(self, holder: Holder) -> bool:
        return (self.of(holder) is not False) != (holder._trainable is not False)

    def __enter__(self) -> Trainability:
        _local.open.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _local.open.pop()


def _holders(model: Layer) -> list[Holder]:
    layers = model._depth_first()
    return [*layers, *(v for layer in layers for v in tracking.own_variables(layer))]
