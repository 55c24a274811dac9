"""How often the prediction is right.

The functions return 1.0 or 0.0 for each prediction; the metrics average them.
"""

from __future__ import annotations

from typing import Any

from hornbeam.keras.engine.criteria import without_defaults
from hornbeam.keras.metrics.base import registry
from hornbeam.keras.metrics.reduction import MeanMetricWrapper
from hornbeam.ops.metrics.accuracy import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)


@registry.add
class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal the truth exactly: mean(y_true == y_pred)

    >>> from hornbeam import keras
    >>> float(keras.metrics.Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@registry.add
class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on the right side of the threshold: mean(y_true == (y_pred > threshold))

    For logits the threshold is 0.

    >>> from hornbeam import keras
    >>> float(keras.metrics.BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]]))
    0.75
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


@registry.add
class CategoricalAccuracy(MeanMetricWrapper):
    """The share of predictions whose highest score is the true class, for one-hot labels

    y_true, y_pred: (b, ..., classes); scores may be probabilities or logits.

    >>> from hornbeam import keras
    >>> float(keras.metrics.CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@registry.add
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of predictions whose highest score is the true class, for labels that are numbers of classes

    y_true: (b, ...) or (b, ..., 1), y_pred: (b, ..., classes); scores may be probabilities or logits.

    >>> from hornbeam import keras
    >>> float(keras.metrics.SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@registry.add
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of predictions with the true class among the k highest scores, for one-hot labels

    >>> from hornbeam import keras
    >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.6, 0.1, 0.3]]))
    0.5
    """

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


@registry.add
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of predictions with the true class among the k highest scores, for labels that are numbers of classes

    >>> from hornbeam import keras
    >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.1, 0.9, 0.8], [0.6, 0.1, 0.3]]))
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as Keras writes them."""
        return without_defaults(super().get_config(), from_sorted_ids=False)
