"""Counts of right and wrong decisions at thresholds, and the metrics that show one such count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.metrics.confusion import confusion_counts


def checked_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """`thresholds` as a list; raises ValueError unless all lie between 0 and 1."""
    values = [default] if thresholds is None else np.atleast_1d(np.asarray(thresholds)).tolist()
    wrong = [t for t in values if t is None or (thresholds is not None and not 0 <= t <= 1)]
    if wrong:
        raise ValueError(f"`thresholds` are numbers from 0 to 1; received {wrong}.")
    return values


class CountMetric(Metric):
    """One of the four counts; subclasses say which."""

    _kind = ""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        """`thresholds`: from 0 to 1, 0.5 for None. Raises ValueError for others."""
        super().__init__(name=name, dtype=dtype)
        self._given_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and predictions from 0 to 1, of the same shape."""
        counts = confusion_counts(
            as_tensors(y_true),
            as_tensors(y_pred),
            np.asarray(self.thresholds, "float32"),
            as_tensors(sample_weight),
            masks_of(y_pred),
        )
        self.accumulator.assign_add(getattr(counts, self._kind))

    def result(self) -> Any:
        """Return the count: a scalar, or (thresholds,) for several."""
        return self.accumulator[0] if len(self.thresholds) == 1 else self.accumulator.value

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self._given_thresholds}


@registry.add
class TruePositives(CountMetric):
    """The weight of samples that are 1 and predicted as such: y_true and y_pred > threshold

    >>> from hornbeam import keras
    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]))
    2.0
    """

    _kind = "true_positives"


@registry.add
class FalsePositives(CountMetric):
    """The weight of samples that are 0 and predicted as 1

    >>> from hornbeam import keras
    >>> float(keras.metrics.FalsePositives()([0, 1, 0, 0], [0.0, 0.0, 1.0, 1.0]))
    2.0
    """

    _kind = "false_positives"


@registry.add
class TrueNegatives(CountMetric):
    """The weight of samples that are 0 and predicted as such

    >>> from hornbeam import keras
    >>> float(keras.metrics.TrueNegatives()([0, 1, 0, 0], [1.0, 1.0, 0.0, 0.0]))
    2.0
    """

    _kind = "true_negatives"


@registry.add
class FalseNegatives(CountMetric):
    """The weight of samples that are 1 and predicted as 0

    >>> from hornbeam import keras
    >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0.0, 1.0, 0.0, 0.0]))
    2.0
    """

    _kind = "false_negatives"
