"""A block as a compiled program: it reads the variables' current values and stores the new ones."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from hornbeam.core import effects, recording
from hornbeam.core.block import Block
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.handover import make_lock, no_step
from hornbeam.core.tensor import Tensor


class Compiled:
    """A program that is called on arrays, or on tensors that a tape follows.

    >>> import hornbeam as tf
    >>> from hornbeam.core import block
    >>> total = tf.Variable(0.0)
    >>> program = Compiled(block.trace(lambda x: total.assign_add(2 * x), [tf.constant(1.0).numpy()]))
    >>> float(program([1.0])), float(program([5.0])), float(total)
    (2.0, 12.0, 12.0)
    """

    is_fixed = True
    """Its methods never come to do something else; see `core.call_keys`."""

    def __init__(self, block: Block, errors: list[BaseException] | None = None) -> None:
        """Nothing is compiled before the first call. `errors` are those of the block's callbacks, see `core.effects`."""
        self._errors = ([] if errors is None else errors) if block.jaxpr.jaxpr.effects else None
        open_cache()
        self.block = block
        self._reading = block.reading
        self._assigned = block.assigned
        self._run = block.compiled()
        self._lock = make_lock() if block.assigned else None

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """Return what the function returns for raw arrays, after its assignments."""
        outputs, _ = self._run_safely([], arrays)
        return self.block.form.fill(outputs)

    def on_tensors(self, tensors: list[Tensor]) -> Any:
        """Return the same for tensors; listeners are told of it as of one computation."""
        arrays = [each._value for each in tensors]
        if not recording.is_recording():
            return self(arrays)
        taken: list[Any] = []
        outputs, new = self._run_safely(taken, arrays)
        # Each reading is a computation of its own, which leads from the variable to the value.
        read = [
            variable.note_read(value) for variable, value in zip(self._reading, taken, strict=True)
        ]
        made = list(map(Tensor, (*outputs, *new)))
        _, tree = jax.tree.flatten(((*taken, *arrays), {}))
        call = recording.Call(self._replay, tree, [*read, *tensors], [*taken, *arrays])
        recording.note(call, made)
        wrapped = iter(made)
        return self.block.form.fill(outputs, lambda _: next(wrapped))

    def _replay(self, *values: Any) -> list[Any]:
        count = len(self._reading)
        outputs, new = self._run(values[:count], values[count:])
        return [*outputs, *new]

    def _run_safely(self, taken: list[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Run the program, once more if a training step in another thread took over a value meanwhile.

        `taken` is filled with the values of the variables. Raises RuntimeError for a variable that has lost its value.
        """
        try:
            return self._run_once(taken, arrays)
        except (ValueError, RuntimeError):
            if not any(value.is_deleted() for value in taken):
                raise
        with no_step():
            for variable in self._reading:
                if variable._value.is_deleted():
                    raise RuntimeError(
                        f"The function reads the variable {variable.path!r}, which has lost its value: a training "
                        "step of the model that holds it was interrupted. Set a value with `assign`."
                    )
            return self._run_once(taken, arrays)

    def _run_once(self, taken: list[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        if self._errors is not None:
            outputs = self._run_locked(taken, arrays)
            effects.settle(self._errors)
            return outputs
        return self._run_locked(taken, arrays)

    def _run_locked(self, taken: list[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        if self._lock is None:
            taken[:] = [variable._value for variable in self._reading]
            return self._run(taken, arrays)
        with self._lock:
            taken[:] = [variable._value for variable in self._reading]
            outputs, new = self._run(taken, arrays)
            for variable, value in zip(self._assigned, new, strict=True):
                variable._value = value
                variable.is_lent = True  # the program may have returned the same array
            return outputs, new
