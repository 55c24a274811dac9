"""A block as a compiled program: it reads the variables' current values and stores the new ones."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax

from hornbeam.core import effects, recording
from hornbeam.core.block import Block
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.handover import make_lock, no_step
from hornbeam.core.programs import forget
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import TreeDef


class _Replay:
    """A program as the function of a call that a tape keeps: pure, and without the variables."""

    def __init__(
        self, run: Callable[..., Any], reading: int, note: Callable[[list[Any]], None] | None
    ) -> None:
        self._run, self._reading, self._note = run, reading, note

    @property
    def call_key(self) -> object:
        """Return what tells the function from others; see `core.call_keys`."""
        return self

    def __call__(self, *values: Any) -> list[Any]:
        """Return the raw outputs and the new values of variables, for values of variables and arrays."""
        outputs, new = self._run(values[: self._reading], values[self._reading :])
        if self._note is not None:
            self._note(outputs)
        return [*outputs, *new]


class Compiled:
    """A program that is called on arrays, or on tensors that a tape follows.

    >>> import hornbeam as tf
    >>> from hornbeam.core import block
    >>> total = tf.Variable(0.0)
    >>> program = Compiled(block.trace(lambda x: total.assign_add(2 * x), [tf.constant(1.0).numpy()]))
    >>> float(program([1.0])), float(program([5.0])), float(total)
    (2.0, 12.0, 12.0)
    """

    def __init__(
        self,
        block: Block,
        errors: list[BaseException] | None = None,
        note: Callable[[list[Any]], None] | None = None,
    ) -> None:
        """Nothing is compiled before the first call.

        `errors` are those of the block's callbacks, see `core.effects`. `note` is told of the raw outputs wherever they are
        computed; what it refers to lives as long as programs of gradients.
        """
        self._errors = ([] if errors is None else errors) if block.jaxpr.jaxpr.effects else None
        open_cache()
        self.block = block
        self._reading = block.reading
        self._assigned = block.assigned
        self._handed_on = block.handed_on()
        self._run = block.compiled()
        self._replay = _Replay(self._run, len(block.reading), note)
        # Programs of gradients hold the replay, and by it the variables; they go with the function.
        weakref.finalize(self, forget, self._replay).atexit = False
        self._note = note
        self._tree: TreeDef | None = None
        self._lock = make_lock() if block.assigned else None

    @functools.cached_property
    def has_gradient(self) -> bool:
        """Whether the outputs can be differentiated going backwards."""
        return self.block.has_gradient()

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
        for variable in self._reading:
            variable.is_lent = True  # listeners keep the value
        made = list(map(Tensor, (*outputs, *new)))
        recording.own(made)
        values = [*taken, *arrays]
        if self._tree is None:
            self._tree = jax.tree.structure((values, {}))
        call = recording.Call(self._replay, self._tree, [*self._reading, *tensors], values)
        recording.note(call, made)
        wrapped = iter(made)
        return self.block.form.fill(outputs, lambda _: next(wrapped))

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
        outputs, new = self._run_locked(taken, arrays)
        if self._errors is not None:
            effects.settle(self._errors)
        if self._note is not None:
            self._note(outputs)
        return outputs, new

    def _run_locked(self, taken: list[Any], arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        if self._lock is None:
            taken[:] = [variable._value for variable in self._reading]
            for variable in self._handed_on:
                variable.is_lent = True
            return self._run(taken, arrays)
        with self._lock:
            taken[:] = [variable._value for variable in self._reading]
            for variable in self._handed_on:
                variable.is_lent = True
            outputs, new = self._run(taken, arrays)
            for variable, value in zip(self._assigned, new, strict=True):
                variable._value = value
                variable.is_lent = True  # the program may have returned the same array
            return outputs, new
