"""Batches as tuples `(x, y, sample_weight)`."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return the inverse of `unpack_x_y_sample_weight`: a tuple without what is missing at the end.

    Without `y` and `sample_weight` it is `x` itself, or `(x,)` where `x` is a list or tuple.

    >>> from hornbeam import keras
    >>> keras.utils.pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None and sample_weight is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return a batch of data as `(x, y, sample_weight)`; what is missing is None.

    >>> from hornbeam import keras
    >>> keras.utils.unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch is x, (x, y) or (x, y, sample_weight); received a tuple of {len(data)}. Put several inputs "
            "into one list or dict."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
