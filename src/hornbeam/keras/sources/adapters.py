"""From the arguments of `fit`, `evaluate` and `predict` to a source of batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from hornbeam.core.op import is_box
from hornbeam.keras.sources.arrays import ArraySource
from hornbeam.keras.sources.class_weight import ClassWeight, weigher
from hornbeam.keras.sources.convert import Arrays, host_arrays, is_sparse, split_rows
from hornbeam.keras.sources.source import DEFAULT, Data, Feed, Placement, Source
from hornbeam.keras.sources.streams import IteratorSource, PyDatasetSource
from hornbeam.keras.utils.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from hornbeam.keras.utils.py_dataset import PyDataset

Input: TypeAlias = "Data | Iterable[Data] | PyDataset"
"""What `fit` takes as `x`: arrays, or what makes batches."""


def make_feed(
    x: Input,
    y: Arrays = None,
    sample_weight: Arrays = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: ClassWeight | None = None,
    resident: bool = True,
    placement: Placement = DEFAULT,
) -> Feed:
    """Return the feed for data of any kind. Raises ValueError or TypeError where the arguments don't fit together."""
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
            raise ValueError(f"`{name}` is a positive integer; received {value!r}.")
    weigh = None if class_weight is None else weigher(class_weight)
    if is_stream(x):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"`{name}` can't be given beside a {type(x).__name__}: its batches bring their own, as "
                    "(x, y) or (x, y, sample_weight)."
                )
        source: Source
        if isinstance(x, PyDataset):
            source = PyDatasetSource(x, shuffle is True, weigh, placement)
        else:
            source = IteratorSource(x, weigh, placement)  # type: ignore[arg-type]
        return Feed(source, steps)
    data = packed(x, y, sample_weight)  # type: ignore[arg-type]  # no stream: arrays
    if weigh is not None:
        data = weigh(data)
    return Feed(ArraySource(data, int(batch_size or 32), shuffle, resident, placement), steps)


def packed(x: Arrays, y: Arrays = None, sample_weight: Arrays = None) -> Data:
    """Return the data as x, (x, y) or (x, y, sample_weight), structures of NumPy arrays."""
    return pack_x_y_sample_weight(host_arrays(x), host_arrays(y), host_arrays(sample_weight))


def validation_feed(
    data: Input, batch_size: int | None, steps: int | None, placement: Placement = DEFAULT
) -> Feed:
    """Return the feed for `validation_data`: (x, y), (x, y, sample_weight), or what brings its own batches."""
    x, y, weights = (data, None, None) if is_stream(data) else unpack_x_y_sample_weight(data)
    return make_feed(x, y, weights, batch_size=batch_size, steps=steps, placement=placement)


def split_off(x: Input, y: Arrays, sample_weight: Arrays, share: float) -> tuple[Data, Data]:
    """Return the data for training and for validation, as `validation_split` asks."""
    if is_stream(x):
        raise ValueError(
            "`validation_split` needs arrays; give `validation_data` beside a generator or PyDataset."
        )
    return split_rows((host_arrays(x), host_arrays(y), host_arrays(sample_weight)), share)  # type: ignore


def is_stream(x: object) -> bool:
    """Return whether `x` makes batches, rather than being rows of data."""
    if x is None or hasattr(x, "__array__") or is_box(x) or is_sparse(x):
        return False
    if isinstance(x, (str, bytes, dict, list, tuple)):
        return False
    return isinstance(x, PyDataset) or hasattr(x, "__next__") or hasattr(x, "__iter__")
