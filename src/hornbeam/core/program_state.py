"""The variables that a compiled program uses, most of them found while it is traced.

JAX compiles pure functions: a value that a traced function picks up on its way becomes a constant of the program. So
the variables that Python code reads must become arguments of the program, although they cannot be listed beforehand: a
loss may read a global variable, a schedule an attribute, a layer the weights of a model that it does not hold. A scope
that `records` notes what it was not told of; `settle` then ends the trace, before anything is compiled, and `run`
traces again with the missing variables among the arguments.
"""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import jax

from hornbeam.core.scope import StateScope
from hornbeam.core.variable import Variable

T = TypeVar("T")

# A trace that meets new variables in every round makes them itself and would never end.
_ROUNDS = 20
_lock = threading.Lock()


class _TraceAgain(Exception):
    """Leaves a trace that met variables which are not yet arguments of its program."""


class ProgramState:
    """A list of variables that a program takes as arguments; it grows at its end while the program is traced.

    >>> import jax
    >>> from hornbeam import keras
    >>> from hornbeam.core.program_state import ProgramState
    >>> scale, calls = keras.Variable(2.0), keras.Variable(0)
    >>> state = ProgramState()
    >>> def pure(values, x):
    ...     with state.scope(values) as scope:
    ...         calls.assign_add(1)
    ...         y = (scale * x)._value
    ...     return y, state.settle(scope)
    >>> compiled = jax.jit(pure)
    >>> def call(x):
    ...     y, updates = state.run(lambda values: compiled(values, x))
    ...     state.write_back(updates)
    ...     return float(y)
    >>> call(10.0)
    20.0
    >>> _ = scale.assign(3.0)
    >>> call(10.0), int(calls)
    (30.0, 2)
    """

    def __init__(self, variables: Iterable[Variable] = ()) -> None:
        """`variables` are known beforehand."""
        self.variables = list(variables)
        self._told = len(self.variables)
        # The values with which variables were found, by the variable's identity.
        self._first: dict[int, jax.Array] = {}
        self._waits_for_made = True

    def found(self) -> list[Variable]:
        """Return the variables that were found while the program was traced, in that order."""
        return self.variables[self._told :]

    def has_changed(self, variable: Variable) -> bool:
        """Return whether a found variable was assigned since it was found, by a program or by other code."""
        return self._first.get(id(variable), variable._value) is not variable._value

    def values(self) -> list[jax.Array]:
        """Return the current values. Raises RuntimeError for a found variable that has lost its value."""
        for variable in self.found():
            # A program that changes the variable, in another thread, must leave the old value whole.
            variable.is_lent = True
            self._first.setdefault(id(variable), variable._value)
            if variable._value.is_deleted():
                raise RuntimeError(
                    f"The program reads the variable {variable.path!r}, which has lost its value: a training step "
                    "of the model that holds it was interrupted. Set a value with `assign`, or let the program "
                    "read another variable."
                )
        return [variable._value for variable in self.variables]

    def scope(
        self,
        values: Sequence[Any],
        others: Iterable[tuple[Variable, Any]] = (),
    ) -> StateScope:
        """Return the scope to run the program's Python in; `others` are pairs that the program threads itself."""
        # Another thread may have found more variables since `values` were taken: zip ends with the values.
        known = zip(self.variables, values, strict=False)
        return StateScope([*others, *known], records=True)

    def settle(self, scope: StateScope) -> dict[int, Any]:
        """Return the new values of the list's variables that `scope` assigned, by their place in the list.

        Call it at the end of the trace. It ends the trace where variables were missing.
        """
        missing = {**scope.unknown, **{id(v): v for v in scope.strays}}
        for made in scope.made:
            missing.pop(id(made), None)
        if missing or (scope.made and self._waits_for_made):
            # What a first trace makes may be kept and used by the next one: then it is found there. What every trace
            # makes anew lives in the trace alone.
            self._waits_for_made = self._waits_for_made and not scope.made
            self._add(missing.values())
            raise _TraceAgain
        return self._placed(scope)

    def _placed(self, scope: StateScope) -> dict[int, Any]:
        places = {id(v): place for place, v in enumerate(self.variables)}
        return {places[id(v)]: value for v, value in scope.updates if id(v) in places}

    def run(self, attempt: Callable[[list[jax.Array]], T]) -> T:
        """Return `attempt(values)`, called again with more values each time that its trace meets more variables."""
        for _ in range(_ROUNDS):
            try:
                return attempt(self.values())
            except _TraceAgain:
                pass
        raise RuntimeError(
            f"The program met new variables in each of {_ROUNDS} traces, the last one {self.variables[-1].path!r}. "
            "Make variables once, outside of the function that is compiled, and keep them."
        )

    def write_back(self, updates: dict[int, Any]) -> None:
        """Store what `settle` returned, with the values that the program computed."""
        for place, value in updates.items():
            self.variables[place]._value = value

    def _add(self, variables: Iterable[Variable]) -> None:
        with _lock:  # two threads may trace the same program
            for variable in variables:
                if all(variable is not each for each in self.variables):
                    self.variables.append(variable)
