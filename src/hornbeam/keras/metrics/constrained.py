"""The best that one share can be while another one is kept: a threshold is chosen among many."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.config import epsilon
from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.metrics.confusion import Counts, confusion_counts
from hornbeam.ops.metrics.curves import best_under_constraint


class ConstrainedMetric(Metric):
    """The largest `_wanted` among the thresholds at which `_kept` is at least `_least`."""

    _wanted = ""
    _kept = ""

    def __init__(
        self, least: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any
    ) -> None:
        """Raises ValueError for a share outside of 0 to 1, and without a threshold."""
        super().__init__(name=name, dtype=dtype)
        if not 0 <= least <= 1:
            raise ValueError(f"`{self._kept}` is a share from 0 to 1; received {least!r}.")
        if num_thresholds < 1:
            raise ValueError(f"`num_thresholds` is 1 or more; received {num_thresholds!r}.")
        self._least = least
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self.thresholds = (
            [0.5] if num_thresholds == 1 else np.linspace(0, 1, num_thresholds).tolist()
        )
        self.true_positives, self.false_positives, self.true_negatives, self.false_negatives = (
            self.add_variable((num_thresholds,), "zeros", name=each) for each in Counts._fields
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and scores from 0 to 1, of the same shape."""
        limits = np.asarray(self.thresholds, "float32")
        if len(limits) > 1:
            limits[0] = -epsilon()  # at the first threshold everything is a hit, a score of 0 too
        counts: Counts = confusion_counts(
            as_tensors(y_true),
            as_tensors(y_pred),
            limits,
            as_tensors(sample_weight),
            masks_of(y_pred),
            None,
            self.class_id,
        )
        for variable, count in zip(self._counts(), counts, strict=True):
            variable.assign_add(count)

    def _counts(self) -> Counts:
        return Counts(
            self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        )

    def result(self) -> Any:
        """Return the best share, 0 where no threshold keeps the other one."""
        return best_under_constraint(self._counts(), self._wanted, self._kept, self._least)


@registry.add
class SensitivityAtSpecificity(ConstrainedMetric):
    """The best sensitivity, tp / (tp + fn), at which the specificity, tn / (tn + fp), is at least `specificity`

    >>> from hornbeam import keras
    >>> float(keras.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _wanted, _kept = "sensitivity", "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


@registry.add
class SpecificityAtSensitivity(ConstrainedMetric):
    """The best specificity, tn / (tn + fp), at which the sensitivity, tp / (tp + fn), is at least `sensitivity`

    >>> from hornbeam import keras
    >>> float(keras.metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.6667
    """

    _wanted, _kept = "specificity", "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


@registry.add
class PrecisionAtRecall(ConstrainedMetric):
    """The best precision, tp / (tp + fp), at which the recall, tp / (tp + fn), is at least `recall`

    >>> from hornbeam import keras
    >>> float(keras.metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _wanted, _kept = "precision", "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


@registry.add
class RecallAtPrecision(ConstrainedMetric):
    """The best recall, tp / (tp + fn), at which the precision, tp / (tp + fp), is at least `precision`

    >>> from hornbeam import keras
    >>> float(keras.metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.5
    """

    _wanted, _kept = "recall", "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
