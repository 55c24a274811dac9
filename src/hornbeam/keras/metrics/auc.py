"""Areas under curves that a threshold draws as it moves from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.config import epsilon
from hornbeam.core.errors import unknown_name
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.keras.metrics.confusion import checked_thresholds
from hornbeam.ops.activations import sigmoid
from hornbeam.ops.metrics.confusion import Counts, confusion_counts
from hornbeam.ops.metrics.curves import area, mean_over_labels

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


@registry.add
class AUC(Metric):
    """The area under the ROC curve (recall over false positive rate), the precision-recall or the PR-gain curve.

    1 is perfect; under the ROC curve 0.5 is guessing. The curve has `num_thresholds` points, evenly spaced unless
    `thresholds` are given. `summation_method` takes trapezoids between the points ("interpolation"; for "PR" the exact
    curve between them), or steps from below ("minoring") or above ("majoring"). With `multi_label`, each of the
    `num_labels` columns gets its own area and `label_weights` weigh them; otherwise all columns are one, and
    `label_weights` weigh their samples. `from_logits` puts a sigmoid before.

    >>> from hornbeam import keras
    >>> float(keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        """Raises ValueError for an unknown curve or method, thresholds outside of 0 to 1, and fewer than 2 points."""
        super().__init__(name=name, dtype=dtype)
        if str(curve).upper() not in CURVES:
            raise unknown_name("curve", curve, CURVES)
        if str(summation_method).lower() not in SUMMATIONS:
            raise unknown_name("summation_method", summation_method, SUMMATIONS)
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        self._given_thresholds = (
            None if thresholds is None else sorted(checked_thresholds(thresholds))
        )
        self._thresholds = _all_thresholds(num_thresholds, self._given_thresholds)
        self.num_thresholds = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.from_logits = from_logits
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self._built = False
        if num_labels is not None and not multi_label:
            raise ValueError(f"`num_labels` ({num_labels}) needs multi_label=True.")
        if not multi_label or num_labels is not None:
            self._make_counts(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """Return all thresholds, in order, those just below 0 and just above 1 included."""
        return self._thresholds.tolist()

    def _make_counts(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        if self.label_weights is not None and labels not in (None, len(self.label_weights)):
            raise ValueError(
                f"`label_weights` has {len(self.label_weights)} entries for {labels} labels."
            )
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and scores from 0 to 1 (or logits), (b, ...) of the same shape."""
        masks = masks_of(y_pred)
        y_true, y_pred = as_tensors(y_true), as_tensors(y_pred)
        if not self._built:
            self._make_counts(y_pred.shape[-1])
        if self.multi_label and y_pred.shape[-1] != self.true_positives.shape[-1]:
            raise ValueError(
                f"{self!r} counts {self.true_positives.shape[-1]} labels; received y_pred.shape={tuple(y_pred.shape)}."
            )
        counts: Counts = confusion_counts(
            y_true,
            sigmoid(y_pred) if self.from_logits else y_pred,
            self._thresholds,
            as_tensors(sample_weight),
            masks,
            label_weights=None if self.multi_label else self.label_weights,
            multi_label=self.multi_label,
        )
        for variable, count in zip(self._counts(), counts, strict=True):
            variable.assign_add(count)

    def _counts(self) -> Counts:
        return Counts(
            self.true_positives, self.false_positives, self.true_negatives, self.false_negatives
        )

    def interpolate_pr_auc(self) -> Any:
        """Return the area under the exact precision-recall curve, for each label if there are several."""
        return area(self._counts(), "PR", "interpolation")

    def result(self) -> Any:
        """Return the area, 0 before the first batch."""
        if not self._built:
            return convert_to_tensor(0.0)
        areas = area(self._counts(), self.curve, self.summation_method)
        return mean_over_labels(areas, self.label_weights) if self.multi_label else areas

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; `thresholds` only if they were passed."""
        config = {**super().get_config(), "thresholds": self._given_thresholds}
        if self._given_thresholds is None:
            config.pop("thresholds")
        return config


def _all_thresholds(count: int, given: list[float] | None) -> np.ndarray:
    """Thresholds from just below 0, which everything exceeds, to just above 1, which nothing does."""
    if given is not None:
        inner = np.asarray(given, "float64")
    elif isinstance(count, (int, np.integer)) and count > 1:
        inner = np.arange(1, count - 1) / (count - 1)
    else:
        raise ValueError(f"`num_thresholds` is an integer above 1; received {count!r}.")
    return np.concatenate([[-epsilon()], inner, [1 + epsilon()]]).astype("float32")
