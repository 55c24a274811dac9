"""Data that comes batch by batch: generators, iterators, `PyDataset`."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import jax
import numpy as np

from hornbeam.core.ordered import tree_map
from hornbeam.core.typing import Structure
from hornbeam.core.user_code import warn
from hornbeam.keras.sources.convert import common_length, dense, host_arrays
from hornbeam.keras.sources.source import (
    DEFAULT,
    Check,
    Data,
    Placement,
    State,
    begun,
    spec_of,
)
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight
from hornbeam.keras.utils.py_dataset import PyDataset
from hornbeam.keras.utils.remembered import ObjectState, has_state

Convert: TypeAlias = Callable[[Data], Data]


class _Stream(ABC):
    """What streams share: each step takes the batch itself."""

    def __init__(self, convert: Convert | None, placement: Placement) -> None:
        self._convert = convert
        self._placement = placement
        self._check: Check | None = None
        self._sample: Data = None  # the first batch, for whoever asks for its shapes again
        self._form: tuple[object, ...] | None = None
        self._shapes = ""
        self._state: State = {}
        self._watched: ObjectState | None = None

    @abstractmethod
    def first(self) -> Data:
        """Return the first batch."""

    @property
    def spec(self) -> Structure[jax.ShapeDtypeStruct]:
        """The shapes and types of the first batch."""
        return spec_of(self.first())

    @property
    def state(self) -> State:
        """How many batches of the pass have been used, and the seed of a shuffled one."""
        more = {} if self._watched is None else {"data": self._watched.get()}
        return {**self._state, **more}

    def check(self, check: Check) -> None:
        """Check the first batch now, the others as they come."""
        check(self.first())
        self._check = check

    def as_rows(self) -> None:
        """Return None: each batch is handed over."""
        return None

    def watch(self, known: Collection[int] = ()) -> None:
        """Have `state` tell what a pass changes in the object that the batches come from."""
        self._watched = self._state_of_data(known)

    def restore(self, state: State) -> None:
        """Set in that object what `state` tells of it."""
        if self._watched is not None and "data" in state:
            self._watched.set(state["data"])

    @abstractmethod
    def _state_of_data(self, known: Collection[int]) -> ObjectState | None:
        """Return how to read and set the state of that object; None where it has none that passes share."""

    def _prepared(self, data: Data) -> Data:
        unpack_x_y_sample_weight(data)  # raises for anything but x, (x, y), (x, y, sample_weight)
        is_tuple = type(data) in (list, tuple)
        batch = type(data)(map(host_arrays, data)) if is_tuple else host_arrays(data)  # type: ignore
        batch = tree_map(dense, batch)
        common_length(batch)
        self._check_form(batch)
        if self._convert is not None:
            batch = self._convert(batch)
        if self._check is not None:
            self._check(batch)
        return batch

    def _check_form(self, batch: Data) -> None:
        """Raise ValueError for a batch of another structure, or other numbers of axes, than the first one's."""
        parts = unpack_x_y_sample_weight(batch)
        leaves, tree = jax.tree.flatten(parts)
        form = (tree, *(leaf.ndim for leaf in leaves))
        if self._form is None:
            self._form, self._shapes = form, _shapes(parts)
        elif form != self._form:
            raise ValueError(
                f"A batch has another structure than the first one.\nReceived: {_shapes(parts)}\nExpected: "
                f"{self._shapes}\nEvery batch needs the same parts (x, y, sample_weight), with the same names, number of "
                "arrays and number of axes."
            )


def _shapes(parts: tuple[Data, Data, Data]) -> str:
    named = zip(("x", "y", "sample_weight"), parts, strict=True)
    return ", ".join(f"{name}: {tree_map(np.shape, part)}" for name, part in named)


class IteratorSource(_Stream):
    """Batches from a generator, or from anything that can be iterated over."""

    def __init__(
        self,
        data: Iterable[Data],
        convert: Convert | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        """A generator can be read once; other iterables begin anew in each pass."""
        super().__init__(convert, placement)
        self._iterable = data
        self._iterator = iter(data)
        self._restarts = self._iterator is not data
        self._tells = has_state(self._iterator)
        self._before_first = self._iterator.get_state() if self._tells else None  # type: ignore[attr-defined]
        self._is_watched = False
        self._is_fresh = True
        self._read_ahead: Data = None
        self.length: int | None = len(data) if hasattr(data, "__len__") else None  # type: ignore

    def first(self) -> Data:
        """Return the first batch that ever came; the first pass still begins with it."""
        if self._sample is None:
            try:
                self._sample = self._read_ahead = self._prepared(next(self._iterator))
            except StopIteration:
                raise ValueError("There is no data: the generator gave no batch.") from None
        return self._sample

    @property
    def state(self) -> State:
        """How many batches of the pass have been used, or where the iterator says that it stands."""
        state = super().state
        if self._tells and self._is_watched:
            unread = self._read_ahead is not None
            state["iterator"] = self._before_first if unread else self._iterator.get_state()  # type: ignore[attr-defined]
        return state

    def open(self, state: State | None = None) -> Iterator[Data]:
        """Yield the batches until the iterator ends, no more than its length says, if it has one.

        With a `state`, go on from there: an iterator with `set_state` at once, of any other the used batches are drawn
        and dropped.
        """
        if self._restarts and not self._is_fresh:
            self._iterator = iter(self._iterable)
        self._is_fresh = False
        self._state = {"used": 0}
        batches = itertools.islice(self._batches(), self.length)
        used = state["used"] if state else 0
        if state and "iterator" in state and self._tells:
            self._read_ahead = None
            self._iterator.set_state(state["iterator"])  # type: ignore[attr-defined]
            left = None if self.length is None else max(0, self.length - used)
            batches = itertools.islice(self._batches(), left)
        elif used:
            self._drop(batches, used)
        self._state["used"] = used
        return self._pass(batches)

    def _pass(self, batches: Iterator[Data]) -> Iterator[Data]:
        for batch in batches:
            self._state["used"] += 1
            yield self._placement.put(batch)

    def _drop(self, batches: Iterator[Data], count: int) -> None:
        if not isinstance(self._iterable, Sequence):
            warn(
                f"The data, {type(self._iterable).__name__}, do not say where they stand: {count} batches that were used "
                "before are drawn once more and dropped. Training goes on exactly if they are the same ones; methods "
                "get_state() and set_state(state) of the iterator would spare this.",
            )
        for _ in itertools.islice(batches, count):
            pass

    def watch(self, known: Collection[int] = ()) -> None:
        """Have `state` tell where an iterator stands, if it can say so."""
        super().watch(known)
        self._is_watched = True

    def _state_of_data(self, known: Collection[int]) -> ObjectState | None:
        shared = self._restarts and has_state(self._iterable)
        return ObjectState(self._iterable, known) if shared else None

    def _batches(self) -> Iterator[Data]:
        if self._read_ahead is not None:
            batch, self._read_ahead = self._read_ahead, None
            yield batch
        yield from map(self._prepared, self._iterator)


class PyDatasetSource(_Stream):
    """Batches of a `PyDataset`, made ahead by threads where it has workers."""

    def __init__(
        self,
        dataset: PyDataset,
        shuffle: bool = False,
        convert: Convert | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        """`shuffle` changes the order of the batches in each pass."""
        super().__init__(convert, placement)
        self._dataset = dataset
        self.length: int | None = dataset.num_batches
        self._shuffle = shuffle and self.length is not None
        if self.length == 0:
            raise ValueError(
                f"There is no data: {type(dataset).__name__} has no batches (its length is 0)."
            )

    def first(self) -> Data:
        """Return the batch of index 0, read once."""
        if self._sample is None:
            self._sample = self._prepared(self._dataset[0])
        return self._sample

    def restore(self, state: State) -> None:
        """Set in the data set what `state` tells of it; its length may follow from that."""
        super().restore(state)
        self.length = self._dataset.num_batches

    def open(self, state: State | None = None) -> Iterator[Data]:
        """Yield the batches of one pass; those of a data set without an end in their order."""
        self._state = begun(state, self._shuffle)
        self._dataset.on_epoch_begin()
        if state:
            # Once more: the data set's own method may have changed what was set.
            self.restore(state)
        self.length = self._dataset.num_batches  # it may change from pass to pass
        return self._pass()

    def _pass(self) -> Iterator[Data]:
        for batch in self._ahead(itertools.islice(self._order(), self._state["used"], None)):
            self._state["used"] += 1
            yield self._placement.put(batch)
        self._dataset.on_epoch_end()

    def _state_of_data(self, known: Collection[int]) -> ObjectState | None:
        return ObjectState(self._dataset, known)

    def _order(self) -> Iterable[int]:
        if self.length is None:
            return itertools.count()
        order = np.arange(self.length)
        if self._shuffle:
            np.random.default_rng(self._state["seed"]).shuffle(order)
        return order.tolist()

    def _make(self, index: int) -> Data:
        return self._prepared(self._dataset[index])

    def _ahead(self, order: Iterable[int]) -> Iterator[Data]:
        workers = self._dataset.workers
        if workers <= 1:
            yield from map(self._make, order)
            return
        pool = ThreadPoolExecutor(workers)
        waiting: list[Future[Data]] = []
        try:
            for index in order:
                waiting.append(pool.submit(self._make, index))
                if len(waiting) >= max(workers, self._dataset.max_queue_size):
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
