"""`class_weight`: a weight for each row, by its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import jax
import numpy as np

from hornbeam.keras.sources.convert import dense
from hornbeam.keras.sources.source import Data
from hornbeam.keras.utils.packing import unpack_x_y_sample_weight

ClassWeight: TypeAlias = "Mapping[int, float]"


def weigher(class_weight: ClassWeight) -> Callable[[Data], Data]:
    """Return a function that weighs each row of the data by its class. Raises ValueError for keys that are no class."""
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"`class_weight` is a dict from the numbers of classes to weights, {{0: 1.0, 1: 5.0}}; received "
            f"{type(class_weight).__name__} {class_weight!r}."
        )
    for key, value in class_weight.items():
        if not isinstance(value, (int, float, np.number)):
            raise TypeError(
                f"`class_weight` has the weight {value!r} for class {key!r}: it takes numbers."
            )
    wrong = [key for key in class_weight if not _is_class(key)]
    if wrong:
        raise ValueError(
            f"`class_weight` has keys that are no class: {', '.join(map(repr, wrong))}. Its keys are the numbers of "
            "classes, 0, 1, ...: {0: 1.0, 1: 5.0}."
        )
    table = {int(key): float(value) for key, value in class_weight.items()}

    def weigh(data: Data) -> Data:
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        classes, places = np.unique(_classes(y), return_inverse=True)
        weights = np.array([table.get(int(c), 1.0) for c in classes], "float32")[places]
        if sample_weight is not None:
            weights = weights * np.asarray(sample_weight).reshape(weights.shape)
        return x, y, weights

    return weigh


def check_keys(class_weight: ClassWeight, classes: int) -> None:
    """Raise ValueError for keys that are no class of a model with so many."""
    wrong = [key for key in class_weight if int(key) >= classes]
    if wrong:
        raise ValueError(
            f"`class_weight` has keys that are no class of this model: {', '.join(map(repr, wrong))}. It has {classes} "
            f"classes, 0 to {classes - 1}."
        )


def _classes(y: Data) -> np.ndarray:
    leaves = jax.tree.leaves(y)
    if len(leaves) != 1:
        raise ValueError(
            f"`class_weight` needs one target array; the data has {len(leaves)}. Use `sample_weight`."
        )
    labels = np.asarray(dense(leaves[0]))
    if labels.ndim > 2:
        raise ValueError(
            f"`class_weight` needs one class for each sample; the targets have shape {labels.shape}."
        )
    is_one_hot = labels.ndim == 2 and labels.shape[1] > 1
    return labels.argmax(-1) if is_one_hot else labels.reshape(-1).astype("int64")


def _is_class(key: object) -> bool:
    try:
        return int(key) == float(key) and int(key) >= 0  # type: ignore
    except (TypeError, ValueError):
        return False
