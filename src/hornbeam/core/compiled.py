"""A block as a compiled program: it reads the variables' current values and stores the new ones."""

# `_value` is private to the core: reading it here costs no call.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from math import prod
from threading import RLock
from typing import Any

import jax

from hornbeam.core import effects, recording
from hornbeam.core.block import Block, primitives
from hornbeam.core.compilation_cache import open_cache
from hornbeam.core.handover import has_met_step, make_lock, no_step, to_give
from hornbeam.core.programs import forget
from hornbeam.core.shield import Shield
from hornbeam.core.tensor import Tensor
from hornbeam.core.typing import TreeDef
from hornbeam.core.variable import Variable

# A variable of fewer bytes is not worth handing over, nor are all of them together where they are few. Who reads a metric
_SMALL, _FEW = 65, 65536


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
        held: Collection[Variable] = (),
    ) -> None:
        """Nothing is compiled before the first call.

        `errors` are those of the block's callbacks, see `core.effects`. `note` is told of the raw outputs wherever they are
        computed; what it refers to lives as long as programs of gradients. Others often hold the values of `held`, whose
        memory is therefore not used again.
        """
        self._errors = ([] if errors is None else errors) if block.jaxpr.jaxpr.effects else None
        open_cache()
        self.block = block
        self._reading = block.reading
        self._assigned = block.assigned
        self._handed_on = block.handed_on()
        self._given = _given(block, set(map(id, held)))
        self._run = block.compiled(self._given)
        pure = block.compiled() if self._given else self._run
        self._replay = _Replay(pure, len(block.reading), note)
        # Programs of gradients hold the replay, and by it the variables; they go with the function.
        weakref.finalize(self, forget, self._replay).atexit = False
        self._note = note
        self._tree: TreeDef | None = None
        # Python that a program calls may wait for steps of others, but nobody waits for a step that takes nothing over.
        self._lock = (make_lock() if self._given else RLock()) if block.assigned else None
        self._shared: list[Variable] | None = None

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
        outputs, new = self._run_safely(taken, arrays, keeps=True)
        made = list(map(Tensor, (*outputs, *new)))
        recording.own(made)
        values = [*taken, *arrays]
        if self._tree is None:
            self._tree = jax.tree.structure((values, {}))
        call = recording.Call(self._replay, self._tree, [*self._reading, *tensors], values)
        recording.note(call, made)
        wrapped = iter(made)
        return self.block.form.fill(outputs, lambda _: next(wrapped))

    def _run_safely(
        self, taken: list[Any], arrays: Sequence[Any], keeps: bool = False
    ) -> tuple[list[Any], list[Any]]:
        """Run the program, once more if a training step in another thread took over a value meanwhile.

        `taken` is filled with the values of the variables; with `keeps`, they and the new ones stay whole. Raises
        RuntimeError for a variable that has lost its value.
        """
        try:
            return self._run_once(taken, arrays, keeps)
        except (ValueError, RuntimeError) as error:
            if not has_met_step(error):
                raise
            failure = error
        with no_step():
            for variable in self._reading:
                if variable._value.is_deleted():
                    raise RuntimeError(
                        f"The function reads the variable {variable.path!r}, which has lost its value: a training "
                        "step of the model that holds it was interrupted. Set a value with `assign`."
                    ) from failure
            return self._run_once(taken, arrays, keeps)

    def _run_once(
        self, taken: list[Any], arrays: Sequence[Any], keeps: bool
    ) -> tuple[list[Any], list[Any]]:
        if self._lock is None:
            outputs, new = self._run(self._take(taken, keeps), arrays)
            self._settle()
        else:
            with self._lock, Shield() as shield, shield.step():
                outputs, new = self._run(self._take(taken, keeps), arrays)
                self._settle()
                self._store(outputs, new, [*taken, *arrays], keeps)
        if self._note is not None:
            self._note(outputs)
        return outputs, new

    def _take(self, taken: list[Any], keeps: bool) -> list[Any]:
        """Fill `taken` with the values of the variables; return those for the program, copies of what others hold."""
        taken[:] = [variable._value for variable in self._reading]
        for variable in self._reading if keeps else self._handed_on:
            variable.is_lent = True
        if not self._given:
            return taken
        values = taken.copy()
        held = [self._reading[place] for place in self._given]
        given, _ = to_give(held, [taken[place] for place in self._given])
        for place, value in zip(self._given, given, strict=True):
            values[place] = value
        return values

    def _store(self, outputs: list[Any], new: list[Any], inputs: list[Any], keeps: bool) -> None:
        """Give the variables their new values."""
        if self._shared is None:
            # The program may return one array in several places, or one that it was given: always the same ones.
            every = Counter(map(id, (*outputs, *new, *inputs)))
            pairs = zip(self._assigned, new, strict=True)
            self._shared = [variable for variable, value in pairs if every[id(value)] > 1]
        for variable, value in zip(self._assigned, new, strict=True):
            variable._value = value
            variable.is_lent = keeps
        for variable in self._shared:
            variable.is_lent = True

    def _settle(self) -> None:
        """Wait for the Python that the program calls, and raise what it raises."""
        if self._errors is not None:
            effects.settle(self._errors)


def _given(block: Block, held: Collection[int]) -> list[int]:
    """Return the places of variables whose memory their new values can take: all that are large, if it is worth it.

    Python that a program calls may read them.
    """
    if any("callback" in name for name in primitives(block.jaxpr.jaxpr)):
        return []
    assigned = set(map(id, block.assigned))
    inputs = block.jaxpr.jaxpr.invars
    sizes = {
        place: prod(inputs[at].aval.shape) * inputs[at].aval.dtype.itemsize
        for place, (variable, at) in enumerate(zip(block.reading, block.places, strict=True))
        if id(variable) in assigned and id(variable) not in held
    }
    large = [place for place, size in sizes.items() if size >= _SMALL]
    return large if sum(sizes[place] for place in large) >= _FEW else []
