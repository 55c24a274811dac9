"""Shares of decisions: how many of the hits are right, and how many of what is there are hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.keras.metrics.confusion import checked_thresholds
from hornbeam.ops.losses.common import ratio
from hornbeam.ops.metrics.confusion import BELOW_ALL, Counts, confusion_counts


class _Share(Metric):
    """true positives / (true positives + one kind of errors)"""

    _errors = ""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._given_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else BELOW_ALL)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        setattr(self, self._errors, self.add_variable(shape, "zeros", name=self._errors))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and predictions from 0 to 1, of the same shape; weights for samples or for each."""
        counts: Counts = confusion_counts(
            as_tensors(y_true),
            as_tensors(y_pred),
            np.asarray(self.thresholds, "float32"),
            as_tensors(sample_weight),
            masks_of(y_pred),
            self.top_k,
            self.class_id,
        )
        self.true_positives.assign_add(counts.true_positives)
        getattr(self, self._errors).assign_add(getattr(counts, self._errors))

    def result(self) -> Any:
        """Return the share: a scalar, or (thresholds,) for several; 0 where there is nothing to divide by."""
        total = self.true_positives + getattr(self, self._errors)
        share = ratio(self.true_positives, total)
        return share[0] if len(self.thresholds) == 1 else share

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self._given_thresholds}


@registry.add
class Precision(_Share):
    """true positives / (true positives + false positives): the share of hits that are right

    `thresholds`: y_pred above counts as a hit (0.5 for None; one result for each). With `top_k`, hits are the k
    classes with the highest scores; with `class_id`, only that class counts.

    >>> from hornbeam import keras
    >>> float(keras.metrics.Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]))
    0.6667
    """

    _errors = "false_positives"


@registry.add
class Recall(_Share):
    """true positives / (true positives + false negatives): the share of 1s that are hit

    `thresholds`: y_pred above counts as a hit (0.5 for None; one result for each). With `top_k`, hits are the k
    classes with the highest scores; with `class_id`, only that class counts.

    >>> from hornbeam import keras
    >>> float(keras.metrics.Recall()([0, 1, 1, 1], [1.0, 0.0, 1.0, 1.0]))
    0.6667
    """

    _errors = "false_negatives"
