"""Losses of predicted distributions: of classes, of yes and no, of counts. The formulas are on the functions."""

from __future__ import annotations

from typing import Any

from hornbeam.keras.engine.criteria import as_tensors, without_defaults
from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops import losses as fn
from hornbeam.ops.losses.crossentropy import labels_kept


def check_smoothing(label_smoothing: float) -> float:
    """`label_smoothing` if it lies between 0 and 1; raises ValueError otherwise."""
    if not isinstance(label_smoothing, (int, float)) or not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"`label_smoothing` is a number from 0 (none) to 1; received {label_smoothing!r}."
        )
    return label_smoothing


@registry.add
class BinaryCrossentropy(Loss):
    """-mean(y_true * log(p) + (1 - y_true) * log(1 - p)), for labels 0 and 1

    y_pred holds probabilities, or logits with `from_logits=True`, which is more exact. `label_smoothing` s moves labels
    to y_true * (1 - s) + s / 2. y_true, y_pred: (b, ..., d)

    >>> from hornbeam import keras
    >>> float(keras.losses.BinaryCrossentropy()([[0.0], [1.0]], [[0.1], [0.5]]))
    0.3993
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


@registry.add
class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy in which what is already predicted well counts less: times (1 - p_t)^gamma

    With `apply_class_balancing`, 1s weigh alpha and 0s 1 - alpha. Source: Lin et al., arXiv:1708.02002.

    >>> from hornbeam import keras
    >>> float(keras.losses.BinaryFocalCrossentropy(gamma=1.0)([[1.0]], [[0.5]]))
    0.3466
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


@registry.add
class CategoricalCrossentropy(Loss):
    """-sum(y_true * log(p)) over the classes, for one-hot or soft labels

    y_pred holds probabilities, or logits with `from_logits=True`, which is more exact. `label_smoothing` s moves labels
    to y_true * (1 - s) + s / classes. y_true, y_pred: (b, ..., classes)

    >>> from hornbeam import keras
    >>> float(keras.losses.CategoricalCrossentropy()([[0.0, 1.0, 0.0]], [[0.05, 0.9, 0.05]]))
    0.1054
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., classes) -> (b, ...)"""
        return fn.categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


@registry.add
class CategoricalFocalCrossentropy(Loss):
    """Categorical cross-entropy in which what is already predicted well counts less: times alpha * (1 - p)^gamma

    Source: Lin et al., arXiv:1708.02002.

    >>> from hornbeam import keras
    >>> float(keras.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.0433
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = check_smoothing(label_smoothing)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., classes) -> (b, ...)"""
        return fn.categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )


@registry.add
class SparseCategoricalCrossentropy(Loss):
    """-log(p[y_true]), for labels that are numbers of classes, from 0

    y_pred holds probabilities, or logits with `from_logits=True`, which is more exact. Labels `ignore_class` are left
    out, also of the mean. The loss of other labels that are no class is NaN; `fit` refuses them before it starts.
    y_true: integers (b, ...) or (b, ..., 1), y_pred: (b, ..., classes)

    >>> from hornbeam import keras
    >>> float(keras.losses.SparseCategoricalCrossentropy()([1, 0], [[0.05, 0.9, 0.05], [0.5, 0.2, 0.3]]))
    0.3993
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ...) against (b, ..., classes) -> (b, ...)"""
        loss = fn.sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )
        if self.ignore_class is not None:
            loss._keras_mask = labels_kept(y_true, y_pred, self.ignore_class, self.axis)
        return loss

    def _truth(self, y_true: Any) -> Any:
        return as_tensors(y_true)  # not in the loss's type: bfloat16 can't tell class 257 from 256

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as Keras writes them."""
        return without_defaults(super().get_config(), axis=-1)


@registry.add
class KLDivergence(Loss):
    """sum(y_true * log(y_true / y_pred)), the Kullback-Leibler divergence

    >>> from hornbeam import keras
    >>> float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]]))
    0.5108
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.kl_divergence(y_true, y_pred)


@registry.add
class Poisson(Loss):
    """mean(y_pred - y_true * log(y_pred)), for counts y_true and predicted rates y_pred

    >>> from hornbeam import keras
    >>> float(keras.losses.Poisson()([[2.0, 0.0]], [[1.0, 3.0]]))
    2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.poisson(y_true, y_pred)
