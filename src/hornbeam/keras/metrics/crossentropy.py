"""Cross-entropies and their kin, averaged over samples. The formulas are on the functions in `keras.losses`."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.metrics.base import registry
from hornbeam.keras.metrics.reduction import MeanMetricWrapper
from hornbeam.ops import losses as fn
from hornbeam.ops.losses.crossentropy import labels_kept


def _sparse_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool, ignore_class: int | None, axis: int
) -> Any:
    values = fn.sparse_categorical_crossentropy(y_true, y_pred, from_logits, ignore_class, axis)
    if ignore_class is not None:
        values._keras_mask = labels_kept(y_true, y_pred, ignore_class, axis)
    return values


@registry.add
class BinaryCrossentropy(MeanMetricWrapper):
    """-mean(y_true * log(p) + (1 - y_true) * log(1 - p)), for labels 0 and 1

    >>> from hornbeam import keras
    >>> float(keras.metrics.BinaryCrossentropy()([[0.0], [1.0]], [[0.1], [0.5]]))
    0.3993
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            fn.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


@registry.add
class CategoricalCrossentropy(MeanMetricWrapper):
    """-sum(y_true * log(p)) over the classes, for one-hot or soft labels

    >>> from hornbeam import keras
    >>> float(keras.metrics.CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.05, 0.9, 0.05]]))
    0.1054
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            fn.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@registry.add
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """-log(p[y_true]), for labels that are numbers of classes, from 0

    Labels `ignore_class` are left out of the mean, as in the loss. (Keras counts them as 0 unless there are weights.)

    >>> from hornbeam import keras
    >>> float(keras.metrics.SparseCategoricalCrossentropy()([1, 0], [[0.05, 0.9, 0.05], [0.5, 0.2, 0.3]]))
    0.3993
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            _sparse_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


@registry.add
class KLDivergence(MeanMetricWrapper):
    """sum(y_true * log(y_true / y_pred)), the Kullback-Leibler divergence

    >>> from hornbeam import keras
    >>> float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]]))
    0.5108
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(fn.kl_divergence, name, dtype)


@registry.add
class Poisson(MeanMetricWrapper):
    """mean(y_pred - y_true * log(y_pred)), for counts y_true and predicted rates y_pred

    >>> from hornbeam import keras
    >>> float(keras.metrics.Poisson()([[2.0, 0.0]], [[1.0, 3.0]]))
    2.0
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(fn.poisson, name, dtype)
