"""Areas under curves that a threshold draws as it moves from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.core.config import epsilon
from hornbeam.core.errors import unknown_name
from hornbeam.core.op import op
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.error_functions.common import as_tensors, masks_of, ratio
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.keras.metrics.confusion import Counts, checked_thresholds, confusion_counts
from hornbeam.ops.activations import sigmoid
from hornbeam.ops.common import TensorLike, array

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


@op
@partial(jax.jit, static_argnames=("curve", "summation_method"))
def area(counts: TensorLike, curve: str, summation_method: str) -> Any:
    """The area under a curve of the four counts, (thresholds, ...) -> (...)"""
    counts = Counts(*map(array, counts))
    if curve == "PR" and summation_method == "interpolation":
        return _interpolated_pr(counts)
    x, y = _points(counts, curve)
    if summation_method == "minoring":
        heights = jnp.minimum(y[:-1], y[1:])
    elif summation_method == "majoring":
        heights = jnp.maximum(y[:-1], y[1:])
    else:
        heights = (y[:-1] + y[1:]) / 2
    return jnp.sum((x[:-1] - x[1:]) * heights, axis=0)


def _points(counts: Counts, curve: str) -> tuple[jax.Array, jax.Array]:
    tp, fp, tn, fn = counts
    recall = ratio.raw(tp, tp + fn)
    if curve == "ROC":
        return ratio.raw(fp, fp + tn), recall
    if curve == "PR":
        return recall, ratio.raw(tp, tp + fp)
    # Flach & Kull, Precision-Recall-Gain Curves, 2015: gain = 1 - errors / true positives * positives / negatives.
    odds = ratio.raw(tp + fn, fp + tn)
    recall_gain = jnp.where(tp > 0, 1 - odds * ratio.raw(fn, tp), 0)
    return jnp.maximum(recall_gain, 0), 1 - odds * ratio.raw(fp, tp)


def _interpolated_pr(counts: Counts) -> jax.Array:
    """Davis & Goadrich, The Relationship Between Precision-Recall and ROC Curves, 2006.

    Between two thresholds true positives are taken to grow in line with all positives p, tp = slope * p + intercept.
    Precision tp / p is then no straight line, and its integral over recall has a logarithm.
    """
    tp, fp, _, fn = counts
    p = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = ratio.raw(gained, jnp.maximum(p[:-1] - p[1:], 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = jnp.where(both, ratio.raw(p[:-1], jnp.maximum(p[1:], 0)), 1)
    parts = ratio.raw(
        slope * (gained + intercept * jnp.log(growth)), jnp.maximum(tp[1:] + fn[1:], 0)
    )
    return jnp.sum(parts, axis=0)


@op(name="mean_over_labels")
def _mean_over_labels(values: TensorLike, weights: TensorLike) -> Any:
    values = array(values)
    if weights is None:
        return jnp.mean(values)
    weights = array(weights, values.dtype)
    return ratio.raw(jnp.sum(values * weights), jnp.sum(weights))


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
        """All thresholds, in order, those just below 0 and just above 1 included."""
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
        """The area under the exact precision-recall curve, for each label if there are several."""
        return area(self._counts(), "PR", "interpolation")

    def result(self) -> Any:
        """The area, 0 before the first batch."""
        if not self._built:
            return convert_to_tensor(0.0)
        areas = area(self._counts(), self.curve, self.summation_method)
        return _mean_over_labels(areas, self.label_weights) if self.multi_label else areas

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; `thresholds` only if they were given."""
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
