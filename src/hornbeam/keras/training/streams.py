"""Data that comes batch by batch: generators, iterators, `PyDataset`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.rng import make_seed
from hornbeam.keras.training.arrays import common_length, dense, host_arrays
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

Convert = Callable[[Any], Any]


class _Stream:
    """What streams share: each step takes the batch itself."""

    resident = None
    batch_size: int | None = None

    def __init__(self, convert: Convert | None) -> None:
        self._convert = convert or (lambda batch: batch)
        self._sample: Any = None  # a batch to read shapes and types off, as often as somebody asks
        self._form: tuple[Any, list[int]] | None = None
        self._shapes = ""

    def _prepared(self, data: Any) -> Any:
        unpack_x_y_sample_weight(data)  # raises for anything but x, (x, y), (x, y, sample_weight)
        batch = (
            type(data)(map(host_arrays, data)) if type(data) in (list, tuple) else host_arrays(data)
        )
        batch = jax.tree.map(dense, batch)
        common_length(batch)
        self._check_form(batch)
        return self._convert(batch)

    def _check_form(self, batch: Any) -> None:
        """Raise ValueError for a batch of another structure, or other numbers of axes, than the first one's."""
        parts = unpack_x_y_sample_weight(batch)
        leaves, tree = jax.tree.flatten(parts)
        form = tree, [leaf.ndim for leaf in leaves]
        if self._form is None:
            self._form, self._shapes = form, _shapes(parts)
        elif form != self._form:
            raise ValueError(
                f"A batch has another structure than the first one.\nReceived: {_shapes(parts)}\nExpected: "
                f"{self._shapes}\nEvery batch needs the same parts (x, y, sample_weight), with the same names, number of "
                "arrays and number of axes."
            )

    @staticmethod
    def _to_device(batch: Any) -> Any:
        return jax.tree.map(jnp.asarray, batch)


class IteratorSource(_Stream):
    """Batches from a generator, or from anything that can be iterated over."""

    steps: int | None = None

    def __init__(self, data: Any, convert: Convert | None = None) -> None:
        """A generator can be gone through once; other iterables are begun anew for each epoch."""
        super().__init__(convert)
        self._first: Any = None  # the batch that was read ahead of the epoch
        self._iterable = data
        self._iterator = iter(data)
        self._restarts = self._iterator is not data
        self._fresh = True
        if hasattr(data, "__len__"):
            self.steps = len(data)

    def first(self) -> Any:
        """Return the first batch that ever came; the first epoch still begins with it."""
        if self._sample is None:
            try:
                self._sample = self._first = self._prepared(next(self._iterator))
            except StopIteration:
                raise ValueError("There is no data: the generator gave no batch.") from None
        return self._sample

    def epoch(self) -> Iterator[Any]:
        """The batches until the iterator ends."""
        if self._restarts and not self._fresh:
            self._iterator = iter(self._iterable)
        self._fresh = False
        if self._first is not None:
            batch, self._first = self._first, None
            yield self._to_device(batch)
        for data in self._iterator:
            yield self._to_device(self._prepared(data))

    def end_epoch(self) -> None:
        """Nothing is left to do."""


class PyDatasetSource(_Stream):
    """Batches of a `PyDataset`, made ahead by threads where it has workers."""

    def __init__(self, dataset: Any, shuffle: bool = False, convert: Convert | None = None) -> None:
        """`shuffle` changes the order of the batches in each epoch."""
        super().__init__(convert)
        self._dataset = dataset
        self._shuffle = shuffle
        self.steps = dataset.num_batches
        if self.steps == 0:
            raise ValueError(
                f"There is no data: {type(dataset).__name__} has no batches (its length is 0)."
            )

    def first(self) -> Any:
        """Return the batch of index 0, read once."""
        if self._sample is None:
            self._sample = self._prepared(self._dataset[0])
        return self._sample

    def epoch(self) -> Iterator[Any]:
        """Return the batches of one epoch; those of a data set without an end in their order."""
        self._dataset.on_epoch_begin()
        for batch in self._ahead(itertools.count() if self.steps is None else self._order()):
            yield self._to_device(batch)

    def _order(self) -> list[int]:
        order = np.arange(self.steps)
        if self._shuffle:
            np.random.default_rng(make_seed()).shuffle(order)
        return order.tolist()

    def _ahead(self, order: Iterable[int]) -> Iterator[Any]:
        workers = self._dataset.workers
        if workers <= 1:
            yield from (self._prepared(self._dataset[index]) for index in order)
            return
        pool = ThreadPoolExecutor(workers)
        waiting: list[Future[Any]] = []
        try:
            for index in order:
                waiting.append(
                    pool.submit(lambda index=index: self._prepared(self._dataset[index]))
                )
                if len(waiting) >= max(workers, self._dataset.max_queue_size):
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def end_epoch(self) -> None:
        """Tell the data set that the epoch is over."""
        self._dataset.on_epoch_end()


def _shapes(parts: tuple[Any, Any, Any]) -> str:
    named = zip(("x", "y", "sample_weight"), parts, strict=True)
    return ", ".join(f"{name}: {jax.tree.map(np.shape, part)}" for name, part in named)
