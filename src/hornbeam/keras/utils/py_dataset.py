"""PyDataset: a data set written in Python, one batch an index."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Base of data sets that make their batches in Python.

    A subclass defines `__getitem__(index)`, which returns a whole batch, a tuple `(x, y)` or `(x, y, sample_weight)`, and
    `__len__()`, the number of batches. For an endless one, define `num_batches` as None instead of `__len__`.

    Args:
        workers: how many threads or processes prepare batches while the model trains.
        use_multiprocessing: whether the workers are processes. The data set then has to be picklable.
        max_queue_size: how many batches are prepared ahead.

    A subclass that does not call `super().__init__()` has these defaults.

    Raises:
        ValueError: for fewer than 0 workers or a queue of no batches.

    >>> import numpy as np
    >>> from hornbeam import keras
    >>> class Squares(keras.utils.PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         x = np.arange(3.0)[:, None] + 3 * index
    ...         return x, x * x
    >>> [y.ravel().tolist() for _, y in Squares(workers=2)]
    [[0.0, 1.0, 4.0], [9.0, 16.0, 25.0]]
    """

    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        name = type(self).__name__
        if workers < 0:
            raise ValueError(f"{name}: workers must be at least 0, got {workers}.")
        if max_queue_size < 1:
            raise ValueError(f"{name}: max_queue_size must be at least 1, got {max_queue_size}.")
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch with this index."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(self, index), which returns a batch such as (x, y)."
        )

    @property
    def num_batches(self) -> int | None:
        """Number of batches of an epoch, `len(self)`; None where there is no end."""
        if not hasattr(type(self), "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} must define __len__(self), the number of batches, or num_batches = None for a "
                "data set without an end."
            )
        return len(self)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch; the place to shuffle."""


Sequence = PyDataset  # the name that tf.keras gave it first
