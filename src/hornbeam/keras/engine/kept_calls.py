"""Calls of built-in layers and models as one compiled program each.

Called on values, a layer whose class and parts are Hornbeam's own runs as a program that is kept on the layer, and a tape
sees one computation. Where it has several results, of which one may be made of another, a tape sees its parts; heads of a
graph are one computation. A program is
found by the arguments (shapes, types, masks, the mode of training), and it is valid as long as `engine.call_settings` finds
nothing changed. A layer of the user's runs its Python, in which the built-in parts are programs.
"""

# `_value` and `_keras_mask` are private to the core and the engine: reading them here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import jax
import numpy as np

from hornbeam.control import eagerness
from hornbeam.core import config, recording, scope
from hornbeam.core.changes import change_count
from hornbeam.core.kept import Kept
from hornbeam.core.origins import are_probabilities
from hornbeam.core.placing import is_tracing
from hornbeam.core.plan_keys import is_raw_array
from hornbeam.core.tensor import Tensor, convert_to_tensor
from hornbeam.core.weight import is_weight
from hornbeam.keras.engine.call_settings import CallSettings, NotOwn, calls_own_code
from hornbeam.keras.engine.call_signature import is_number_list
from hornbeam.keras.engine.context import current_context
from hornbeam.keras.engine.kept_call import KeptCall

if TYPE_CHECKING:
    from hornbeam.keras.engine.layer import Layer

    Ready: TypeAlias = "partial[Any]"

# Programs in each of the two halves of `Kept`; settings between which a layer may be switched to and fro.
_PROGRAMS, _SETTINGS = 16, 4
# Values of the inputs beyond so many are not checked.
_MOST_CHECKED = 1_000_000
_FOREVER = -1
# JAX's settings that are written into a traced program; the attributes have no types.
_jax: Any = jax.config


class Request(NamedTuple):
    """The arguments of a call: what tells them from others, and the tensors among them."""

    key: tuple[Any, ...]
    tensors: list[Tensor]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def filled(self, tensors: tuple[Tensor, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with other tensors."""
        rest = iter(tensors)
        return _filled(self.args, rest), _filled(self.kwargs, rest)


class KeptCalls:
    """The programs of one layer."""

    __slots__ = ("_refused", "_sets")

    def __init__(self) -> None:
        """A layer begins without any."""
        # The settings of last time first. False: a call that can't be compiled.
        self._sets: list[tuple[CallSettings, Kept[KeptCall | bool]]] = []
        # The count of changes at which the layer was found to run code of the user's.
        self._refused: int | None = None

    def find(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ready | None:
        """Return the kept call on its tensors, or None where there is none."""
        if not self._sets or not _may_run():
            return None
        current = self._current()
        if current is None:
            return None
        request = _request(args, kwargs)
        if request is None:
            return None
        found = current[1].get(request.key)
        if not isinstance(found, KeptCall) or not _accepts(layer, current[0], request):
            return None
        if found.hides_from_tapes and recording.is_recording():
            return None
        return partial(found, request.tensors)

    def make(self, layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Ready | None:
        """Return the call of a built layer, traced now; None where its Python has to run."""
        if self._refused in (change_count(), _FOREVER) or not calls_own_code(layer):
            return None
        if not _may_run():
            return None
        settings, kept = self._current() or self._look(layer)
        request = None if settings is None else _request(args, kwargs)
        # A call that is known can't be compiled, or `find` saw that it must not run now.
        if settings is None or request is None or kept.get(request.key) is not None:
            return None
        if not _accepts(layer, settings, request):
            return None
        try:
            made = KeptCall(layer, request.filled, request.tensors)
        except Exception:  # told by the Python of the call, or it can do what its trace could not
            kept.set(request.key, False)
            return None
        if not settings.are_current():  # the call itself changes what it looks at
            self._refused, self._sets = _FOREVER, []
            return None
        kept.set(request.key, made)
        if made.hides_from_tapes and recording.is_recording():
            return None
        return partial(made, request.tensors)

    def _current(self) -> tuple[CallSettings, Kept[KeptCall | bool]] | None:
        """Return the settings that the layer has now, and the programs made with them."""
        sets = self._sets
        for place, each in enumerate(sets):
            if each[0].are_current():
                if place:
                    self._sets = [each, *(other for other in sets if other is not each)]
                return each
        return None

    def _look(self, layer: Layer) -> tuple[CallSettings | None, Kept[KeptCall | bool]]:
        """Return the settings of a layer that is seen with them for the first time; None where other code may run."""
        programs: Kept[KeptCall | bool] = Kept(_PROGRAMS)
        try:
            settings = CallSettings(layer)
        except NotOwn:
            settings = None
        if settings is None or not settings.are_built():
            self._refused = change_count()
            return None, programs
        self._sets = [(settings, programs), *self._sets[: _SETTINGS - 1]]
        return settings, programs


def _may_run() -> bool:
    """Return whether a program may compute a call here and now: nothing is traced, and nobody wants to see the Python."""
    if scope.is_open() or is_tracing() or eagerness.functions_run_eagerly():
        return False
    return not _jax.jax_debug_nans  # which looks for the op that made one


def _accepts(layer: Layer, settings: CallSettings, request: Request) -> bool:
    """Return whether the values of the inputs are allowed, where that matters; if not, the Python will tell."""
    if not settings.checks_values or sum(t._value.size for t in request.tensors) > _MOST_CHECKED:
        return True
    first = next(iter((*request.args, *request.kwargs.values())))
    try:
        layer.check_values(first)
    except ValueError:
        return False
    return True


def _request(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request | None:
    """Return the arguments of a call as a request; None for tracers, probabilities, and what is not known here."""
    if args and is_number_list(args[0]):  # layer([[1.0, 2.0]])
        args = (convert_to_tensor(args[0]), *args[1:])
    context = current_context()
    key: list[Any] = [
        config.state(),
        scope.autocast_dtype(),
        None if context is None else context.training,
        _jax.jax_default_matmul_precision,
        _jax.jax_enable_x64,
    ]
    tensors: list[Tensor] = []
    if not _scan(args, key, tensors) or not (not kwargs or _scan(kwargs, key, tensors)):
        return None
    if are_probabilities([each._value for each in tensors]):
        return None  # the Python hands on of which logits they were made
    return Request(tuple(key), tensors, args, kwargs)


def _scan(value: Any, key: list[Any], tensors: list[Tensor]) -> bool:
    """Add what tells `value` from others to `key`, and the tensors in it, with their masks, to `tensors`."""
    kind = type(value)
    if kind is Tensor:
        return _scan_tensor(value, key, tensors)
    if kind is bool or value is None or kind is str:
        key.append(value)
        return True
    if kind is tuple or kind is list:
        key += (kind, len(value))
        return all(_scan(each, key, tensors) for each in value)
    if kind is dict:
        key += (kind, *value)
        return all(_scan(each, key, tensors) for each in value.values())
    return _is_array(value) and _scan_tensor(convert_to_tensor(value), key, tensors)


def _is_array(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufcV"
    return is_raw_array(value) or is_weight(value)


def _scan_tensor(tensor: Tensor, key: list[Any], tensors: list[Tensor]) -> bool:
    raw: Any = tensor._value
    mask = tensor._keras_mask
    if not is_raw_array(raw) or raw.weak_type:
        return False
    key += (raw.shape, raw.dtype, mask is not None)
    tensors.append(tensor)
    return mask is None or (type(mask) is Tensor and _scan_tensor(mask, key, tensors))


def _filled(value: Any, tensors: Iterator[Tensor]) -> Any:
    """Return `value` with other tensors, and masks, in the places of those that `_scan` found."""
    kind = type(value)
    if kind is bool or value is None or kind is str:
        return value
    if kind is tuple or kind is list:
        return kind(_filled(each, tensors) for each in value)
    if kind is dict:
        return {name: _filled(each, tensors) for name, each in value.items()}
    tensor = next(tensors)
    if kind is Tensor and value._keras_mask is not None:
        tensor._keras_mask = next(tensors)
    return tensor
