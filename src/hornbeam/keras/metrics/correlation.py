"""Correlations of predicted with true numbers, averaged over samples. y_true and y_pred are (b, ..., d)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.keras.metrics.base import registry
from hornbeam.keras.metrics.reduction import MeanMetricWrapper
from hornbeam.ops.metrics import correlation


@registry.add
class PearsonCorrelation(MeanMetricWrapper):
    """covariance(y_true, y_pred) / (std(y_true) * std(y_pred)), along `axis`

    >>> from hornbeam import keras
    >>> float(keras.metrics.PearsonCorrelation()([[0.0, 1.0, 2.0]], [[5.0, 3.0, 1.0]]))
    -1.0
    """

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: Any = None,
        axis: int | Sequence[int] = -1,
    ) -> None:
        super().__init__(correlation.pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


@registry.add
class ConcordanceCorrelation(MeanMetricWrapper):
    """2 * covariance / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred))^2), along `axis`

    >>> from hornbeam import keras
    >>> float(keras.metrics.ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]]))
    0.5714
    """

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: Any = None,
        axis: int | Sequence[int] = -1,
    ) -> None:
        super().__init__(correlation.concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
