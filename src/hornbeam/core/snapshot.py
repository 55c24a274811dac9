"""The values of variables at one moment, kept while training goes on."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable

import jax

from hornbeam.core.handover import no_step
from hornbeam.core.scope import StateScope
from hornbeam.core.variable import Variable


class Snapshot:
    """Variables and their values at the moment of its making.

    Nothing is copied: arrays never change, and a variable whose value is held here is marked as lent, so that the next
    training step works on a copy instead of reusing the memory.

    >>> from hornbeam import keras
    >>> v = keras.Variable(1.0)
    >>> snapshot = Snapshot([v])
    >>> _ = v.assign(2.0)
    >>> with snapshot.scope():
    ...     print(float(v))
    1.0
    >>> snapshot.put_back()
    >>> float(v)
    1.0
    """

    def __init__(self, variables: Iterable[Variable]) -> None:
        """Raises RuntimeError for a variable that lost its value in an interrupted step."""
        self.variables = list(variables)
        with no_step():
            self._values = [each._value for each in self.variables]
            self._lend()
        for variable, value in zip(self.variables, self._values, strict=True):
            if value.is_deleted():
                raise RuntimeError(
                    f"The variable {variable.path!r} has lost its value: a training step was interrupted while it held "
                    "it. Set a value with `assign`, or load the weights again."
                )

    @property
    def values(self) -> list[jax.Array]:
        """The values, in the order of `variables`."""
        return list(self._values)

    def scope(self) -> StateScope:
        """Return a scope in which the variables have these values, for the thread that opens it alone."""
        return StateScope(zip(self.variables, self._values, strict=True))

    def put_back(self) -> None:
        """Set the variables to these values."""
        with no_step():
            for variable, value in zip(self.variables, self._values, strict=True):
                variable._value = value
            self._lend()

    def _lend(self) -> None:
        for variable in self.variables:
            variable.is_lent = True
