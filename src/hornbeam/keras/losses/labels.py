"""Check labels on the host: inside a compiled program nothing can be raised."""

from __future__ import annotations

import numpy as np


def check_labels(
    y_true: np.ndarray, classes: int, name: str, ignore_class: int | None = None
) -> None:
    """Raise ValueError unless all labels are numbers of classes, 0 to `classes` - 1, or `ignore_class`.

    `name` names the output or the loss in the message. Compiled code can't raise: there a label beyond the classes
    becomes NaN.

    >>> import numpy as np
    >>> check_labels(np.array([0, 2, 1]), 3, "sparse_categorical_crossentropy")
    >>> check_labels(np.array([1, 2, 3]), 3, "sparse_categorical_crossentropy")
    Traceback (most recent call last):
        ...
    ValueError: sparse_categorical_crossentropy: label 3 in row 2 is no class of a model with 3 outputs...
    """
    labels = np.asarray(y_true)
    if not labels.size or labels.dtype == bool:
        return
    # The extremes first: they need no temporary array of the size of the data.
    if ignore_class is None and labels.min() >= 0 and labels.max() < classes:
        return
    wrong = ~((labels >= 0) & (labels < classes))
    if ignore_class is not None:
        wrong &= labels != ignore_class
    if not wrong.any():
        return
    place = np.argwhere(wrong)[0]
    label = labels[tuple(place)]
    raise ValueError(
        f"{name}: label {label} in row {place[0] if len(place) else 0} is no class of a model with {classes} outputs; "
        f"labels go from 0 to {classes - 1}.{_hint(labels, wrong, classes)}"
    )


def _hint(labels: np.ndarray, wrong: np.ndarray, classes: int) -> str:
    finite = labels[np.isfinite(labels)] if labels.dtype.kind == "f" else labels
    if not finite.size:
        return ""
    low, high = finite.min(), finite.max()
    if low == 1 and high == classes:
        return " They seem to be counted from 1: use y - 1."
    if low == -1 and (labels[wrong] == -1).all():
        return " If -1 stands for no label, set ignore_class=-1 in SparseCategoricalCrossentropy."
    if low >= 0:
        return f" Give the last layer {int(high) + 1} units, or check the labels."
    return " Class labels can't be negative: number the classes from 0."
