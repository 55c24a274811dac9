"""to_categorical and normalize: labels and features made ready on the host."""

from __future__ import annotations

import operator
from typing import Any

import jax
import numpy as np

from hornbeam.core.op import is_box
from hornbeam.core.tensor import unwrap
from hornbeam.ops.encoding import one_hot_rows, without_last_one
from hornbeam.ops.normalization import unit_vectors

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows of class numbers: row i has a 1 in column `x[i]` and zeros elsewhere.

    Args:
        x: whole numbers from 0 to `num_classes - 1`, of any shape; fractions are cut off, as in Keras. A last axis of
            length 1 is dropped.
        num_classes: number of classes; the greatest label + 1 by default.

    Shapes: (...) or (..., 1) -> (..., num_classes)

    Returns:
        A NumPy array of float64; for a tensor, a tensor of float32.

    Raises:
        IndexError: for labels that are negative or at least `num_classes`, with the first of them. (Keras counts -1 from
            the end, which gives labels of -1 and 1 the same row where there are two classes.) Where the labels are not
            known yet, in a compiled program, their rows are zeros instead.
        ValueError: for labels that are no numbers, and for no labels without `num_classes`.

    >>> from hornbeam import keras
    >>> print(keras.utils.to_categorical([5, 0], num_classes=10))
    [[0. 0. 0. 0. 0. 1. 0. 0. 0. 0.]
     [1. 0. 0. 0. 0. 0. 0. 0. 0. 0.]]
    """
    if is_box(x) or isinstance(x, jax.Array):
        return _tensor_to_categorical(x, num_classes)
    labels = without_last_one(_whole_numbers(x))
    width = _checked_width(labels, num_classes)
    return np.equal(labels[..., None], np.arange(width)).astype(np.float64)


def _tensor_to_categorical(x: Any, num_classes: int | None) -> Any:
    labels = _known(unwrap(x))
    if labels is not None:
        num_classes = _checked_width(_whole_numbers(labels), num_classes)
    elif num_classes is None:
        raise ValueError(
            "to_categorical needs num_classes here: the labels are not known while a program is being compiled."
        )
    return one_hot_rows(x, num_classes)


def _known(value: Any) -> np.ndarray | None:
    """The numbers of an array; None for those of a program that is being compiled."""
    try:
        return np.asarray(value) if isinstance(value, jax.Array) else None
    except jax.errors.TracerArrayConversionError:
        return None


def _whole_numbers(x: Any) -> np.ndarray:
    """Labels as int64."""
    try:
        labels = np.asarray(x)
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError("there is a NaN or an infinity among them")
        return labels.astype(np.int64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"to_categorical: labels must be whole numbers in an array or a list without gaps: {error}. Number class "
            "names first, e.g. with numpy.unique(names, return_inverse=True)."
        ) from error


def _checked_width(labels: np.ndarray, num_classes: int | None) -> int:
    """The number of classes; IndexError where a label is not below it."""
    num_classes = operator.index(num_classes or 0)
    if not num_classes:  # Keras takes 0 as not given, too
        if labels.size == 0:
            raise ValueError("to_categorical: there are no labels; give num_classes.")
        num_classes = int(labels.max()) + 1
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size == 0:
        return num_classes
    hint = "Start the labels at 0" if wrong.min() < 0 else "Raise num_classes or correct the labels"
    raise IndexError(
        f"to_categorical: labels must be from 0 to {num_classes - 1} (num_classes={num_classes}), got {wrong[0]}; "
        f"{wrong.size} of {labels.size} labels are outside. {hint}."
    )


def normalize(x: Any, axis: int | None = -1, order: float = 2) -> Any:
    """x divided by its norm along an axis: x / (sum |x|^order)^(1 / order). Zeros stay zeros.

    Args:
        x: array or tensor.
        axis: axis along which the norm is taken. (Keras 3.15.1 divides by the norms of other rows for 0.)
        order: of the norm, as in `numpy.linalg.norm`: 2 is the Euclidean length, `numpy.inf` the greatest magnitude.

    Shapes: any, kept; at least one axis

    Returns:
        A NumPy array of x's floating type (float64 for whole numbers); for a tensor, a tensor.

    >>> from hornbeam import keras
    >>> print(keras.utils.normalize([[3.0, 4.0], [0.0, 0.0]]))
    [[0.6 0.8]
     [0.  0. ]]
    """
    if is_box(x) or isinstance(x, jax.Array):
        return unit_vectors(x, axis, order)
    values = np.atleast_1d(np.asarray(x))
    length = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(length == 0, 1, length).astype(length.dtype)
