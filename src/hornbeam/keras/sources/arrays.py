"""Data in memory: put on the device once, rows gathered inside the compiled step."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.ordered import tree_map
from hornbeam.core.typing import Structure
from hornbeam.keras.sources.convert import common_length, dense, is_sparse
from hornbeam.keras.sources.source import (
    DEFAULT,
    Check,
    Data,
    Placement,
    Rows,
    State,
    begun,
    spec_of,
)

# Above this many bytes rows are gathered on the host, so that the arrays are not held twice.
DEVICE_LIMIT = 2 << 30


class ArraySource:
    """Batches of rows of arrays; sparse rows get their zeros batch by batch."""

    def __init__(
        self,
        data: Data,
        batch_size: int,
        shuffle: bool | str = False,
        resident: bool = True,
        placement: Placement = DEFAULT,
    ) -> None:
        """`data` holds NumPy arrays. Raises ValueError where they differ in their number of rows.

        Without `resident` the batches are handed over one by one: right for data that are read once.
        """
        self._data = data
        self._count = common_length(data)
        self._batch_size = min(batch_size, self._count)
        self._shuffle = shuffle
        self._placement = placement
        self._rows: Rows | None = None
        self._check: Check | None = None
        self._state: State = {}
        self.length: int | None = -(-self._count // self._batch_size)
        leaves = jax.tree.leaves(data)
        self._is_sparse = any(map(is_sparse, leaves))
        self._is_resident = (
            resident
            and not self._is_sparse
            and sum(leaf.size * min(leaf.itemsize, 4) for leaf in leaves) <= DEVICE_LIMIT
        )

    @property
    def spec(self) -> Structure[jax.ShapeDtypeStruct]:
        """The shapes and types of a batch."""
        return spec_of(self.first())

    @property
    def state(self) -> State:
        """The seed of the pass, how many of its batches have been used, and what the order depends on."""
        return {**self._state, **self._form()}

    def _form(self) -> State:
        return {
            "rows": self._count,
            "batch_size": self._batch_size,
            "shuffle": self._shuffle if isinstance(self._shuffle, str) else bool(self._shuffle),
        }

    def first(self) -> Data:
        """Return the first rows."""
        return self._take(slice(0, self._batch_size))

    def check(self, check: Check) -> None:
        """Check all rows, once for the same check; sparse ones batch by batch."""
        if check == self._check:
            return
        self._check = check
        if not self._is_sparse:
            check(self._data)

    def _take(self, rows: slice | np.ndarray) -> Data:
        if not self._is_sparse:
            return tree_map(lambda a: a[rows], self._data)
        batch = tree_map(lambda a: dense(a[rows]), self._data)
        if self._check is not None:
            self._check(batch)
        return batch

    def open(self, state: State | None = None) -> Iterator[Data]:
        """Yield the batches of a pass: row numbers where the step gathers them.

        Raises ValueError for a pass over other rows.
        """
        if state:
            form = self._form()
            before = {name: state.get(name, value) for name, value in form.items()}
            if before != form:
                raise ValueError(
                    f"Training was stopped in the middle of an epoch with {before}; now it is {form}. Pass the same data and "
                    "the same arguments as before."
                )
            # Not at the first batch: the pass may be stopped again before it.
            self._state = begun(state, bool(self._shuffle))
        return self._batches(state)

    def _batches(self, state: State | None) -> Iterator[Data]:
        if self._is_resident or self._shuffle:
            whole, rest = self._order(state)
            parts: Sequence[slice | np.ndarray] = [*whole, rest] if len(rest) else list(whole)
        else:
            self._state = begun(state, shuffles=False)
            size = self._batch_size
            parts = [slice(start, start + size) for start in range(0, self._count, size)]
        for rows in itertools.islice(parts, self._state["used"], None):
            self._state["used"] += 1
            yield rows if self._is_resident else self._take(rows)

    def _order(self, state: State | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the row numbers of one pass: those of the whole batches (steps, b), and those that are left over."""
        self._state = begun(state, bool(self._shuffle))
        order = np.arange(self._count, dtype="int32")
        random = np.random.default_rng(self._state["seed"]) if self._shuffle else None
        if random is not None and self._shuffle != "batch":
            random.shuffle(order)
        cut = self._count - self._count % self._batch_size
        whole = order[:cut].reshape(-1, self._batch_size)
        if random is not None and self._shuffle == "batch":
            random.shuffle(whole)  # the smaller last batch stays where it is
        return whole, order[cut:]

    def _advance(self, batches: int) -> None:
        self._state["used"] += batches

    def watch(self, known: Collection[int] = ()) -> None:
        """Do nothing: arrays have no state but the pass."""

    def restore(self, state: State) -> None:
        """Do nothing, as `watch`."""

    def as_rows(self) -> Rows | None:
        """Return the arrays on the device, unless they are too large, sparse, or read only once."""
        if self._is_resident and self._rows is None:
            self._rows = Rows(
                resident=self._placement.put(self._data),
                gather=_gather,
                first=np.arange(self._batch_size, dtype="int32"),
                whole_batches=self._count // self._batch_size,
                order=self._order,
                advance=self._advance,
            )
        return self._rows


def _gather(resident: Data, rows: jax.Array) -> Data:
    return tree_map(lambda a: jnp.take(a, rows, axis=0, mode="clip"), resident)
