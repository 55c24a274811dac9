"""A step that runs as plain Python, for `run_eagerly=True`."""

from __future__ import annotations

from typing import Any

from hornbeam.core import scope
from hornbeam.core.op import wrap
from hornbeam.core.shield import Shield
from hornbeam.keras.engine.context import call_context
from hornbeam.keras.sources.source import Data
from hornbeam.keras.training.step import Gather, Step, unwrapped


class EagerProgram:
    """A step whose ops are computed one by one, and whose assignments take effect at once."""

    def __init__(self, step: Step, gather: Gather | None) -> None:
        """Take the arguments of a `Program`; the variables need not be known."""
        self._step = step
        self._gather = gather

    def find(self, resident: Data, batch: Data) -> None:
        """Run the step, and drop what it assigns."""
        with scope.StateScope():
            self(resident, batch)

    def __call__(self, resident: Data, batch: Data, shield: Shield | None = None) -> Any:
        """Run one step and return what the step returns, on the device."""
        data = wrap(batch if self._gather is None else self._gather(resident, batch))
        with (shield or Shield()).step(), call_context(fresh=True):
            return unwrapped(self._step(data))
