"""From what `fit`, `evaluate` and `predict` are given to a source of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.keras.losses.labels import check_labels
from hornbeam.keras.training.arrays import ArraySource, dense, host_arrays, is_sparse
from hornbeam.keras.training.streams import (
    IteratorSource,
    PyDatasetSource,
)
from hornbeam.keras.training.structure import find_targets
from hornbeam.keras.utils.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.keras.utils.py_dataset import PyDataset


class Feed:
    """A source with a number of steps an epoch; where that is not the source's own, passes run on across epochs."""

    def __init__(self, source: Any, steps: int | None = None) -> None:
        """`steps` None takes the source's number, which may be unknown."""
        self.source = source
        self.steps: int | None = steps if steps is not None else source.steps
        self._limit = steps
        self.is_cut = steps is not None
        self._running: Iterator[Any] | None = None

    def epoch(self) -> Iterator[Any]:
        """The batches of one epoch; fewer than `steps` where the source has no more."""
        if self._limit is None:
            yield from self.source.epoch()
            self.source.end_epoch()
            return
        given, empty_passes = 0, 0
        while (
            given < self._limit and empty_passes < 2
        ):  # the first may be the rest of a finished pass
            running = self._running = self._running or self.source.epoch()
            empty_passes += 1
            for batch in running:
                given, empty_passes = given + 1, 0
                yield batch
                if given == self._limit:
                    return
            self.source.end_epoch()
            self._running = None


def make_feed(
    model: Any,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    resident: bool = True,
) -> Feed:
    """The feed for data of any supported kind. Raises ValueError or TypeError where the arguments don't fit together."""
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
            raise ValueError(f"`{name}` is a positive integer; received {value!r}.")
    if is_stream(x):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"`{name}` can't be given beside a {type(x).__name__}: its batches bring their own, as "
                    "(x, y) or (x, y, sample_weight)."
                )

        def convert(batch: Any) -> Any:
            check_batch(model, batch)
            return batch if class_weight is None else with_class_weight(batch, class_weight)

        if isinstance(x, PyDataset):
            return Feed(PyDatasetSource(x, shuffle is True, convert), steps)
        return Feed(IteratorSource(x, convert), steps)
    data = pack_x_y_sample_weight(*arrays_of(x, y, sample_weight))
    if class_weight is not None:
        data = with_class_weight(data, class_weight)
    return Feed(ArraySource(data, int(batch_size or 32), shuffle, resident), steps)


def arrays_of(x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """Return the data as structures of NumPy arrays."""
    return host_arrays(x), host_arrays(y), host_arrays(sample_weight)


def is_stream(x: Any) -> bool:
    """Whether `x` gives batches rather than being rows of data."""
    if (
        x is None
        or is_box(x)
        or is_sparse(x)
        or isinstance(x, (str, bytes, dict, list, tuple))
        or hasattr(x, "__array__")
    ):
        return False
    return isinstance(x, PyDataset) or hasattr(x, "__next__") or hasattr(x, "__iter__")


def check_batch(model: Any, batch: Any) -> None:
    """Let the layers of the model check the inputs of a batch, and its loss the targets."""
    x, y, _ = unpack_x_y_sample_weight(batch)
    check = getattr(model, "check_batch", None)
    if check is not None:
        check(x)
    _check_targets(model, y)


def _check_targets(model: Any, y: Any) -> None:
    """Raise ValueError for class numbers that the model has no output for; the device would not notice them."""
    compiled = model._compile_loss
    if compiled is None or compiled.entries is None or y is None:
        return
    targets = find_targets(y, compiled.names, compiled.places) or {}
    for place, classes, ignored in compiled.class_counts():
        if targets.get(place) is not None:
            name = f"y ({compiled.names[place]})" if len(targets) > 1 else "y"
            check_labels(np.asarray(targets[place]), classes, name, ignored)


def with_class_weight(data: Any, class_weight: dict[int, float]) -> tuple[Any, Any, Any]:
    """The data with each row weighted by its class."""
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    leaves = jax.tree.leaves(y)
    if len(leaves) != 1:
        raise ValueError(
            f"`class_weight` needs one target array; the data has {len(leaves)}. Use `sample_weight`."
        )
    labels = np.asarray(dense(leaves[0]))
    if labels.ndim > 2 or (labels.ndim == 2 and labels.shape[1] == 1 and labels.dtype.kind == "O"):
        raise ValueError(
            f"`class_weight` needs one class for each sample; the targets have shape {labels.shape}."
        )
    classes = (
        labels.argmax(-1)
        if labels.ndim == 2 and labels.shape[1] > 1
        else labels.reshape(-1).astype("int64")
    )
    wrong = [key for key in class_weight if not _is_class(key)]
    if wrong:
        raise ValueError(
            f"`class_weight` has keys that are no class: {', '.join(map(repr, wrong))}. Its keys are the numbers of "
            "classes, 0, 1, ...: {0: 1.0, 1: 5.0}."
        )
    table = {int(key): float(value) for key, value in class_weight.items()}
    weights = np.array([table.get(int(c), 1.0) for c in np.unique(classes)], "float32")
    weights = weights[np.searchsorted(np.unique(classes), classes)]
    if sample_weight is not None:
        weights = weights * np.asarray(sample_weight).reshape(weights.shape)
    return x, y, weights


def _is_class(key: Any) -> bool:
    try:
        return int(key) == float(key) and int(key) >= 0
    except (TypeError, ValueError):
        return False
