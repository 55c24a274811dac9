"""State, threaded instead of hidden.

Code that reads and assigns variables becomes a pure function when it runs inside a `StateScope`: reads return the values
that the scope was entered with, assignments are collected by it, and the variables themselves are not touched. Scopes
nest: a read that the innermost scope does not know goes outwards, an assignment stays innermost.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax

from hornbeam.core.jax_typed import value_and_grad as value_and_grad_of
from hornbeam.core.origins import note_probabilities, probabilities_in
from hornbeam.core.placing import is_tracing as is_tracing_code
from hornbeam.core.strings import Strings, StringsOnHost
from hornbeam.core.tensor import is_traced, known_value, unwrap

if TYPE_CHECKING:
    from hornbeam.core.typing import DTypeLike
    from hornbeam.core.variable import Variable


class _Local(threading.local):
    def __init__(self) -> None:
        self.scopes: list[StateScope] = []
        self.compute_dtype: DTypeLike | None = None


# Variables that may be garbage before a trace collects it.
_FEW = 256

_local = _Local()
# By identity, in the order in which they were made. Not a set: variables compare by element.
_living: weakref.WeakValueDictionary[int, Variable] = weakref.WeakValueDictionary()
# How many of them were left when garbage was last collected here.
_left = 0


class StateScope:
    """Within the scope, `values` stand in for the variables, and assignments are kept in `updates`."""

    def __init__(
        self, values: Iterable[tuple[Variable, jax.Array]] = (), records: bool = False
    ) -> None:
        """`values`: pairs of a variable and the raw value that reads of it return.

        A scope that `records` notes in `unknown` the variables that were read although no open scope knows them, and
        in `made` those that were made inside it. See `core.block`. With a `refusal`, making one is a ValueError
        with that text; where it `refuses_weights`, only making one that is trainable.
        """
        self.records = records
        self.unknown: dict[int, Variable] = {}
        self.made: list[Variable] = []
        self.refusal: str | None = None
        self.refuses_weights = False
        self._values: dict[int, tuple[Variable, jax.Array]] = {id(v): (v, x) for v, x in values}
        self._given = set(self._values)
        self._assigned: dict[int, Variable] = {}

    def refuses(self, variable: Variable) -> bool:
        """Return whether a variable must not be made in the scope."""
        return self.refusal is not None and (variable.trainable or not self.refuses_weights)

    def __enter__(self) -> StateScope:
        _local.scopes.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _local.scopes.remove(self)

    def assign(self, variable: Variable, value: jax.Array) -> None:
        """Let reads of `variable` return `value` from now on."""
        self._values[id(variable)] = (variable, value)
        self._assigned[id(variable)] = variable

    def find(self, variable: Variable) -> tuple[Variable, jax.Array] | None:
        """Return the pair of `variable` and its value here; None where the scope does not know it."""
        return self._values.get(id(variable))

    def replace_values(self, news: Mapping[int, jax.Array]) -> None:
        """Put other values in the place of assigned ones; `news` by the identity of the old."""
        for key, variable in self._assigned.items():
            new = news.get(id(self._values[key][1]))
            if new is not None:
                self._values[key] = (variable, new)

    @property
    def updates(self) -> list[tuple[Variable, jax.Array]]:
        """The assigned variables with their last values."""
        return [self._values[key] for key in self._assigned]

    @property
    def strays(self) -> list[Variable]:
        """Assigned variables that the scope was not entered with: a pure function would lose them."""
        return [v for key, v in self._assigned.items() if key not in self._given]


@contextmanager
def isolated() -> Generator[StateScope]:
    """Within the context, let this thread be in one scope alone, a new one that records."""
    saved, _local.scopes = _local.scopes, []
    try:
        with StateScope(records=True) as scope:
            yield scope
    finally:
        _local.scopes = saved


def read(variable: Variable) -> jax.Array:
    """Return the raw value of `variable` as the open scopes see it."""
    for scope in reversed(_local.scopes):
        if found := scope.find(variable):
            return found[1]
    if (recording := _recording()) is not None:
        _refuse_strings(variable._value, variable)
        recording.unknown[id(variable)] = variable
    return variable._value


def peek(variable: Variable) -> jax.Array | None:
    """Return the raw value that the open scopes have for `variable`, unnoticed; None where they do not know it."""
    for each in reversed(_local.scopes):
        if found := each.find(variable):
            return found[1]
    return None


def note_made(variable: Variable) -> None:
    """Say that `variable` was made, in whatever program is being traced."""
    recording = _recording()
    if recording is not None and recording.refuses(variable):
        raise ValueError(str(recording.refusal).format(repr(variable.path)))
    if not isinstance(vars(variable).get("_value"), Strings):  # which are no inputs of a program
        _living[id(variable)] = variable
    if recording is not None:
        recording.made.append(variable)


def living() -> list[Variable]:
    """Return all variables that live.

    Each costs the trace that takes it as an input 20 us, and JAX remembers the list. A dropped model lives on until Python
    collects garbage; so where variables have doubled, that is done first.
    """
    global _left
    if len(_living) > max(_FEW, 2 * _left) and gc.isenabled():
        gc.collect()
        _left = len(_living)
    found = (reference() for reference in _living.valuerefs())
    return [variable for variable in found if variable is not None]


def is_tracing() -> bool:
    """Return whether a program is being traced that finds its variables by itself."""
    return _recording() is not None


def is_open() -> bool:
    """Return whether a scope is open: variables then have other values than their own."""
    return bool(_local.scopes)


@contextmanager
def outside() -> Generator[None]:
    """Leave all scopes within the context: what is assigned there, variables keep."""
    saved, _local.scopes = _local.scopes, []
    try:
        yield
    finally:
        _local.scopes = saved


def _recording() -> StateScope | None:
    """Return the outermost scope that records: what it learns of, all scopes inside it will know."""
    return next((scope for scope in _local.scopes if scope.records), None)


def assign(variable: Variable, value: jax.Array) -> None:
    """Assign in the innermost scope; outside of all scopes the variable itself."""
    if isinstance(value, Strings):
        _assign_strings(variable, value)
    elif _local.scopes:
        _local.scopes[-1].assign(variable, value)
    elif is_traced(known_value(value)):
        raise RuntimeError(
            f"The variable {variable.path!r} was assigned inside a compiled function that does not thread it. "
            "Let fit, evaluate or predict run the code, or pass the variable through `stateless_call`."
        )
    else:
        variable._value = value
        variable.is_lent = True


def _assign_strings(variable: Variable, value: Any) -> None:
    if is_tracing_code():
        _refuse_strings(value, variable)
    variable._value = value


def _refuse_strings(value: Any, variable: Variable) -> None:
    """Raise StringsOnHost for a variable of strings in a program that is being traced."""
    if isinstance(value, Strings):
        raise StringsOnHost(
            f"The variable {variable.path!r} holds strings, which live on the host: a compiled program can neither read nor "
            "assign it. Do so outside of layers and training steps, or in a tf.function, which then runs as Python."
        )


def replace_values(news: Mapping[int, jax.Array]) -> None:
    """Put other values in the place of those that open scopes were assigned; `news` by the identity of the old."""
    for each in _local.scopes:
        each.replace_values(news)


@contextmanager
def autocast(dtype: DTypeLike | None) -> Generator[None]:
    """Within the scope, read floating variables that allow it in `dtype` (None: unchanged)."""
    saved, _local.compute_dtype = _local.compute_dtype, dtype
    try:
        yield
    finally:
        _local.compute_dtype = saved


def autocast_dtype() -> DTypeLike | None:
    """Return the type that `autocast` asks for; None where it asks for nothing."""
    return _local.compute_dtype


def pure(
    fn: Callable[..., Any], variables: Sequence[Variable]
) -> Callable[..., tuple[Any, list[jax.Array]]]:
    """Return `fn`, which reads and assigns `variables`, as a function `(values, *args) -> (outputs, new_values)`.

    Raises RuntimeError when `fn` assigns a variable that is not among `variables`.
    """
    variables = list(variables)

    def run(
        values: Sequence[jax.Array], *args: object, **kwargs: object
    ) -> tuple[Any, list[jax.Array]]:
        with StateScope(zip(variables, values, strict=True)) as scope:
            outputs = fn(*args, **kwargs)
            new_values = [read(v) for v in variables]
        if scope.strays:
            names = ", ".join(repr(v.path) for v in scope.strays)
            raise RuntimeError(
                f"A compiled function assigned variables that are not part of its state: {names}. Make them "
                "attributes of the model, or of a layer or metric in it, so that they are found."
            )
        return outputs, new_values

    return run


def value_and_grad(
    fn: Callable[..., tuple[Any, Any]], variables: Sequence[Variable]
) -> Callable[..., tuple[tuple[Any, Any], list[jax.Array]]]:
    """Turn `fn`, which returns `(loss, extra)`, into one that returns `((loss, extra), gradients of the variables)`.

    What `fn` assigns (moving averages, seeds) takes effect around the call as if it had been called plainly.
    """
    variables = list(variables)

    def run(*args: object, **kwargs: object) -> tuple[tuple[Any, Any], list[jax.Array]]:
        assigned: list[Variable] = []

        def inner(values: list[jax.Array]) -> tuple[Any, Any]:
            with StateScope(zip(variables, values, strict=True)) as scope:
                loss, extra = fn(*args, **kwargs)
            assigned[:] = [v for v, _ in scope.updates]
            # Metrics take the outputs as they come out of here: as other values, made of the same logits.
            return unwrap(loss), (extra, probabilities_in(extra), [x for _, x in scope.updates])

        values = [read(v) for v in variables]
        differentiated = value_and_grad_of(inner, has_aux=True)
        (loss, (extra, origins, updates)), gradients = differentiated(values)
        note_probabilities(extra, origins)
        for variable, value in zip(assigned, updates, strict=True):
            assign(variable, value)
        return (loss, extra), gradients

    return run
