"""Many steps in one program: a loop over the rows of an epoch, compiled once, run for as many steps as wanted.

Handing a step to the device costs Python and the runtime some tenths of a millisecond, more than a small model needs to
compute it. The number of steps is an argument of the program, so that every block uses the same one.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core.block import primitives
from hornbeam.core.ordered import sealed, tree_map
from hornbeam.core.shield import Shield
from hornbeam.core.typing import Structure
from hornbeam.keras.sources.source import Data, Rows
from hornbeam.keras.training.eager import EagerProgram
from hornbeam.keras.training.step import Program, Values

# What XLA on CPU computes many times slower inside a loop than outside of it (jax issue 12868).
SLOW_IN_LOOPS = frozenset(
    {
        "conv_general_dilated",
        "reduce_window",
        "reduce_window_max",
        "reduce_window_min",
        "reduce_window_sum",
        "select_and_gather_add",
        "select_and_scatter",
        "select_and_scatter_add",
    }
)
SECONDS = 0.1  # of a block: the bar moves as often, and Ctrl-C is heard as soon


class Pace:
    """The number of steps that take about `SECONDS`, learned from the blocks that have run."""

    def __init__(self) -> None:
        """A first block of one step."""
        self.steps = 1
        self._waiting: tuple[int, float, Any] | None = None
        self._ready = 0.0

    def started(self, steps: int, logs: Structure[jax.Array]) -> None:
        """Note that a block was handed over; wait for the one before it, so that one runs and one waits."""
        now = time.perf_counter()
        self.settle()
        self._waiting = (steps, now, logs)

    def settle(self) -> None:
        """Wait for the last block."""
        if self._waiting is None:
            return
        steps, start, logs = self._waiting
        self._waiting = None
        jax.block_until_ready(logs)
        now = time.perf_counter()
        taken = (now - max(start, self._ready)) / steps
        self._ready = now
        # Slowly upwards: the first steps may be faster or slower than those that follow.
        self.steps = max(1, min(int(SECONDS / max(taken, 1e-6)), 4 * self.steps))

    def drop(self) -> None:
        """Forget the block that is under way."""
        self._waiting = None


class Blocks:
    """A program, run in blocks of steps."""

    def __init__(self, program: Program) -> None:
        """`program` runs the single step."""
        self._program = program
        self._step = jax.jit(program.pure)
        self._run = jax.jit(self._loop, donate_argnums=(0,))
        self.pace = Pace()

    def is_fast(self, resident: Data, rows: np.ndarray) -> bool:
        """Return whether the step, on batches of such rows, can be run in a loop and loses nothing by it."""
        program = self._program
        traced = program.with_state(
            lambda changing, shared, reading: self._step.trace(
                changing, shared, reading, resident, rows
            ),
            (resident, rows),
        )
        logs, new, rest = traced.out_info
        if not jax.tree.leaves(logs) or rest or traced.jaxpr.effects:
            return False  # Python that a step calls may look at the weights
        old = [v._value for v in (*program.changing, *program.shared)]
        pairs = zip(old, jax.tree.leaves(new), strict=True)
        if any((a.shape, a.dtype) != (b.shape, b.dtype) for a, b in pairs):
            return False
        slow = SLOW_IN_LOOPS if program.placement.platform == "cpu" else frozenset()
        return not any(name in slow for name in primitives(traced.jaxpr.jaxpr))

    def _loop(
        self,
        changing: Values,
        shared: Values,
        reading: Values,
        resident: Data,
        order: jax.Array,
        start: jax.Array,
        count: jax.Array,
    ) -> tuple[Any, tuple[Values, Values], dict[int, jax.Array]]:
        def body(i: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            logs, new, _ = self._step(*carry[0], reading, resident, order[start + i])
            return new, sealed(logs)

        shapes = jax.eval_shape(self._step, changing, shared, reading, resident, order[0])[0]
        logs = sealed(tree_map(lambda s: jnp.zeros(s.shape, s.dtype), shapes))
        new, logs = lax.fori_loop(0, count, body, ((changing, shared), logs))
        return sealed(logs), new, {}

    def __call__(
        self, resident: Data, order: jax.Array, start: int, count: int, shield: Shield | None
    ) -> Any:
        """Run the steps on the rows `order[start : start + count]`; return the logs of the last one."""
        arguments = (resident, order, np.int32(start), np.int32(count))
        logs = self._program.run(self._run, arguments, shield)
        self.pace.started(count, logs)
        return logs


def blocks_of(program: Program | EagerProgram, rows: Rows) -> Blocks | None:
    """Return the program in blocks of steps; None where it can't be run so on these data."""
    if isinstance(program, EagerProgram) or rows.whole_batches < 2:
        return None
    if program.blocks is None:
        blocks = Blocks(program)
        program.blocks = blocks if blocks.is_fast(rows.resident, rows.first) else False
    return program.blocks or None
