"""What a training loop reads its batches from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.ordered import in_order, tree_map
from hornbeam.core.rng import make_seed
from hornbeam.core.tensor import own
from hornbeam.core.typing import Structure, TensorLike
from hornbeam.kernels import native

Data: TypeAlias = "Structure[TensorLike]"
"""x, (x, y) or (x, y, sample_weight), each a structure of arrays."""

State: TypeAlias = dict[str, Any]
"""Where an iteration stands: numbers, text, lists and dicts of these."""

Check: TypeAlias = Callable[[Data], None]
"""Raises ValueError for data that a model can't work on."""


@dataclass(frozen=True)
class Placement:
    """Where batches go: the sharding of their arrays; None is JAX's default device."""

    batch: jax.sharding.Sharding | None = None

    def put(self, batch: Data) -> Data:
        """Return a copy of the batch on its devices: a generator may write its next batch into the same arrays."""
        batch = tree_map(own, batch)
        if self.batch is None:
            return tree_map(jnp.asarray, batch)
        return in_order(jax.device_put(batch, self.batch), batch)

    @property
    def platform(self) -> str:
        """The kind of device: "cpu", "gpu" or "tpu"."""
        if self.batch is None:
            return native.platform()
        return next(iter(self.batch.device_set)).platform


DEFAULT = Placement()


@dataclass(frozen=True)
class Rows:
    """Data from which a compiled step gathers its batch: the batches of a pass are row numbers."""

    resident: Data
    """The arrays, on their device."""
    gather: Callable[[Data, jax.Array], Data]
    """Return the rows of a batch; a pure function, traced into the step."""
    first: np.ndarray
    """The row numbers of a batch, to read their shape and type off."""
    whole_batches: int
    order: Callable[[State | None], tuple[np.ndarray, np.ndarray]]
    """Begin a pass, or go on with one: return the row numbers of its whole batches (steps, b), and of what is left over."""
    advance: Callable[[int], None]
    """Note that so many batches of the pass have been used."""


class Source(Protocol):
    """Batches, in passes over the data.

    `open` begins a pass. `state` then tells where it stands, and `open(state)` goes on from there, in another process
    too.
    """

    length: int | None
    """The number of batches of a pass; None where it is not known or there is no end."""

    @property
    def spec(self) -> Structure[jax.ShapeDtypeStruct]:
        """The shapes and types of a batch, in the form that the user gave it."""
        ...

    @property
    def state(self) -> State:
        """Where the last pass stands."""
        ...

    def first(self) -> Data:
        """Return a batch on the host. It is not used up: `open` yields it too."""
        ...

    def check(self, check: Check) -> None:
        """Call `check` on all data: at once, or on each batch as it comes."""
        ...

    def open(self, state: State | None = None) -> Iterator[Data]:
        """Begin a pass, or go on with one; yield what a step takes."""
        ...

    def watch(self, known: Collection[int] = ()) -> None:
        """Have `state` tell from now on what the pass changes in objects of the user's, too.

        `known` has the ids of variables that are stored elsewhere.
        """
        ...

    def restore(self, state: State) -> None:
        """Set in objects of the user's what `state` tells of them."""
        ...

    def as_rows(self) -> Rows | None:
        """Return the data for steps that gather their batches; None where each batch must be handed over."""
        ...


def begun(state: State | None, shuffles: bool) -> State:
    """Return the state at the beginning of a pass, or a copy of that to go on from, for which no seed is drawn."""
    if state:
        return {"seed": state["seed"], "used": state["used"]}
    return {"seed": make_seed() if shuffles else None, "used": 0}


def spec_of(batch: Data) -> Structure[jax.ShapeDtypeStruct]:
    """Return the shapes of a batch, and its types as the device knows them."""
    return tree_map(
        lambda a: jax.ShapeDtypeStruct(a.shape, jax.dtypes.canonicalize_dtype(a.dtype)), batch
    )


class Feed:
    """A source and the number of steps of an epoch; a pass goes on in the next epoch where that number cuts it."""

    def __init__(self, source: Source, steps: int | None = None) -> None:
        """`steps` None takes the source's number, which may be unknown."""
        self.source = source
        self.is_cut = steps is not None
        self._steps = steps
        self._pass: Iterator[Data] | None = None
        self._resumed: State | None = None

    @property
    def steps(self) -> int | None:
        """The number of steps of an epoch; None where it is not known."""
        return self._steps if self.is_cut else self.source.length

    def state(self, in_epoch: bool) -> State:
        """Return where the data stand, for `resume`; `in_epoch`: between two steps of an epoch."""
        is_open = self._pass is not None if self.is_cut else in_epoch
        return {
            "source": self.source.state,
            "is_open": is_open,
            "length": self.source.length,
            "steps": self.steps,
        }

    def resume(self, state: State, done: int = 0) -> None:
        """Go on where another process stood, after so many steps of the epoch.

        Raises ValueError for data of another number of batches.
        """
        # First, because the length of a data set may follow from what it remembers.
        self.source.restore(state["source"])
        found = {"length": self.source.length, "steps": self.steps}
        if state["is_open"] and any(state[name] != found[name] for name in found):
            raise ValueError(
                f"Training was stopped in the middle of an epoch of {state['steps']} steps over data of {state['length']} "
                f"batches; now there are {found['steps']} steps and {found['length']} batches. Pass the same data, "
                "`batch_size` and `steps_per_epoch` as before."
            )
        if state["is_open"]:
            self._resumed = {**state["source"], "done": done}
            self._pass = self.source.open(state["source"])

    def resumed(self) -> State | None:
        """Return the state of the pass that `resume` went on with, and its `done` steps; None once that was asked for."""
        state, self._resumed = self._resumed, None
        return state

    def epoch(self) -> Iterator[Data]:
        """Return the batches of one epoch; fewer than `steps` where the source has no more."""
        state = self.resumed()
        if self.is_cut and self.steps:
            return self._of_passes(self.steps, state["done"] if state else 0)
        opened, self._pass = self._pass, None
        return opened or self.source.open()

    def _of_passes(self, steps: int, done: int) -> Iterator[Data]:
        empty_passes = 0
        if done == steps:
            self._end_used_up_pass()
        while done < steps and empty_passes < 2:  # the first may be the rest of a finished pass
            self._pass = self._pass or self.source.open()
            empty_passes += 1
            for batch in self._pass:
                done, empty_passes = done + 1, 0
                yield batch
                if done == steps:
                    self._end_used_up_pass()
                    return
            self._pass = None

    def _end_used_up_pass(self) -> None:
        """End a pass without more batches now, with its epoch, not in the next one."""
        if self._pass is not None and self.source.state.get("used") == self.source.length:
            next(self._pass, None)
            self._pass = None
