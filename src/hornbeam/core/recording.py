"""The listeners that see every computation: a gradient tape, or a test of what depends on what.

The door (`core.op`) and the reading of a variable call `note` with a `Call`: a pure function, its arguments and their raw
values, from which the outputs can be computed again. Functions among the arguments (the body of a loop, a branch, the
cell of an RNN) may use tensors and variables that are not arguments: a `Capture` finds them, and they become arguments of
the call, so that nothing about values hides in a closure.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import jax
from jax.core import Tracer

from hornbeam.core import scope
from hornbeam.core.listening import local
from hornbeam.core.tensor import Tensor

if TYPE_CHECKING:
    from hornbeam.core.plans import Plan
    from hornbeam.core.typing import RawArray, TreeDef
    from hornbeam.core.variable import Variable

Fn = TypeVar("Fn", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One computation: `fn(*args, **kwargs)` with the arguments that `tree` makes of `values`."""

    fn: Callable[..., Any]
    tree: TreeDef
    boxes: list[Any]
    """The arguments' leaves as they were given: tensors, one variable where it is read, and anything else."""
    values: list[Any]
    """The same leaves as raw values, those that variables had at that time."""
    plan: Plan | None = None
    """The kept plan of the call, where it has one."""

    def replay(self, values: list[Any]) -> Any:
        """Return the raw outputs for other raw values; a pure function, for `jax.vjp` and its kin."""
        plan = self.plan
        if plan is not None and not any(isinstance(value, Tracer) for value in values):
            return plan(
                [values[place] for place in plan.places]
            )  # the same bits as at the first time
        args, kwargs = jax.tree.unflatten(self.tree, values)
        with paused():
            return self.fn(*args, **kwargs)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CustomCall(Call):
    """A call with a gradient of the user's: a function of tensors, which runs once for each gradient that is asked for."""

    gradient: Callable[[list[Tensor | None]], list[Tensor | None]]
    """From the gradients of the outputs, None where there is none, to those of `boxes`."""


def without_gradient(fn: Fn) -> Fn:
    """Mark the body of an op through which no gradient flows: it is None there, as in TensorFlow, and not zero."""
    vars(fn)["has_gradient"] = False
    return fn


Recorder: TypeAlias = Callable[[Call, object], None]


def recorders() -> list[Recorder]:
    """Return this thread's listeners: each is called with every `Call` and its outputs."""
    return local.recorders


def is_recording() -> bool:
    """Return whether this thread has a listener."""
    return bool(local.recorders)


def is_watched() -> bool:
    """Return whether this thread has a listener, or an open `Capture`."""
    return bool(local.recorders) or local.capture is not None


def note(call: Call, outputs: object) -> None:
    """Tell all listeners of `call`."""
    for recorder in list(local.recorders):
        recorder(call, outputs)


@contextmanager
def paused() -> Generator[None]:
    """Pause all listeners within the context: what a call computes inside is part of that call."""
    saved, local.recorders = local.recorders, []
    try:
        yield
    finally:
        local.recorders = saved


@contextmanager
def set_aside() -> Generator[None]:
    """Let nobody hear what this thread computes within the context: it is traced for a plan, which is no computation."""
    saved = local.recorders, local.capture
    local.recorders, local.capture = [], None
    try:
        yield
    finally:
        local.recorders, local.capture = saved


class Capture:
    """Find the tensors and variables that functions use without taking them as arguments."""

    def __init__(self) -> None:
        """Nothing is found before `open`."""
        self._own: dict[int, object] = {}
        self._found: dict[int, tuple[Tensor | Variable, RawArray]] = {}
        self._autocast = scope.autocast_dtype()

    @contextmanager
    def open(self) -> Generator[None]:
        """Watch what is computed within the context."""
        saved = local.recorders, local.capture
        local.recorders, local.capture = [self._see], self
        try:
            yield
        finally:
            local.recorders, local.capture = saved

    def own(self, raw: object) -> None:
        """Say that a raw value was made inside."""
        self._own[id(raw)] = raw

    def use(self, box: Tensor | Variable, raw: RawArray) -> None:
        """Say that a function used `box` when its raw value was `raw`."""
        if id(raw) not in self._own:
            self._found.setdefault(id(box), (box, raw))

    def _see(self, call: Call, outputs: object) -> None:
        for box, raw in zip(call.boxes, call.values, strict=True):
            if isinstance(box, Tensor) or hasattr(box, "read_raw"):
                self.use(box, raw)

    @property
    def boxes(self) -> list[Tensor | Variable]:
        """The tensors and variables that were found."""
        return [box for box, _ in self._found.values()]

    @property
    def values(self) -> list[RawArray]:
        """Their raw values."""
        return [raw for _, raw in self._found.values()]

    def closed(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Return `fn` as a pure function `(captured values, *args, **kwargs)`."""

        def run(values: list[jax.Array], *args: object, **kwargs: object) -> Any:
            with self.standing_in(values):
                return fn(*args, **kwargs)

        return run

    @contextmanager
    def standing_in(self, values: Sequence[jax.Array]) -> Generator[None]:
        """Within the context, let the tensors and variables that were found have other values."""
        pairs = list(zip(self.boxes, values, strict=True))
        tensors = [(b, x) for b, x in pairs if isinstance(b, Tensor)]
        variables = [(b, x) for b, x in pairs if not isinstance(b, Tensor)]
        saved = [tensor._value for tensor, _ in tensors]
        try:
            for tensor, value in tensors:
                tensor._value = value
            with scope.StateScope(variables), scope.autocast(self._autocast):
                yield
        finally:
            for (tensor, _), value in zip(tensors, saved, strict=True):
                tensor._value = value


def own(outputs: object) -> None:
    """Tell an open `Capture` of raw values, or of tensors, that were made inside."""
    if local.capture is not None:
        for leaf in jax.tree.leaves(outputs):
            local.capture.own(leaf)


def used(outputs: object, is_box: Callable[[object], bool]) -> None:
    """Tell an open `Capture` what a function returned as it was: a tensor or variable from outside."""
    if local.capture is not None:
        for leaf in jax.tree.leaves(outputs, is_leaf=is_box):
            if isinstance(leaf, Tensor):
                local.capture.use(leaf, leaf._value)
            elif is_box(leaf):
                leaf.read_value()
