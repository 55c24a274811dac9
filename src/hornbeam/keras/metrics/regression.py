"""Errors of predicted numbers, averaged over samples. y_true and y_pred are (b, ..., d)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.keras.engine.criteria import as_tensors, masks_of, without_defaults
from hornbeam.keras.metrics.base import registry
from hornbeam.keras.metrics.reduction import Mean, MeanMetricWrapper
from hornbeam.ops import losses as fn
from hornbeam.ops.metrics.regression import root_ratio, squared_error


def _similarity(y_true: Any, y_pred: Any, axis: int | Sequence[int]) -> Any:
    return ops.negative(fn.cosine_similarity(y_true, y_pred, axis))


@registry.add
class MeanSquaredError(MeanMetricWrapper):
    """mean((y_true - y_pred)^2)

    >>> from hornbeam import keras
    >>> float(keras.metrics.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
    2.5
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_squared_error, name, dtype)


@registry.add
class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)^2)), in the unit of y; the root is taken over all batches together

    >>> from hornbeam import keras
    >>> float(keras.metrics.RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 4.0]]))
    3.5355
    """

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth and predictions; a mask that `y_pred` carries leaves values out."""
        values = squared_error(as_tensors(y_true), as_tensors(y_pred))
        self._add(values, sample_weight, masks_of(y_pred))

    def result(self) -> Any:
        """Return the root of the mean squared error."""
        return root_ratio(self.total, self.count)


@registry.add
class MeanAbsoluteError(MeanMetricWrapper):
    """mean(|y_true - y_pred|), in the unit of y

    >>> from hornbeam import keras
    >>> float(keras.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(fn.mean_absolute_error, name, dtype)


@registry.add
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """100 * mean(|y_true - y_pred| / |y_true|), in percent

    >>> from hornbeam import keras
    >>> float(keras.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(fn.mean_absolute_percentage_error, name, dtype)


@registry.add
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """mean((log(y_true + 1) - log(y_pred + 1))^2)

    >>> from hornbeam import keras
    >>> float(keras.metrics.MeanSquaredLogarithmicError()([[0.0, 3.0]], [[0.0, 1.0]]))
    0.240
    """

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(fn.mean_squared_logarithmic_error, name, dtype)


@registry.add
class LogCoshError(MeanMetricWrapper):
    """mean(log(cosh(y_pred - y_true)))

    >>> from hornbeam import keras
    >>> float(keras.metrics.LogCoshError()([[0.0]], [[1.0]]))
    0.4338
    """

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(fn.log_cosh, name, dtype)


@registry.add
class CosineSimilarity(MeanMetricWrapper):
    """The cosine of the angle between y_true and y_pred: 1 for the same direction (the loss is its negative)

    >>> from hornbeam import keras
    >>> float(keras.metrics.CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 2.0]]))
    0.5
    """

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: Any = None,
        axis: int | Sequence[int] = -1,
    ) -> None:
        super().__init__(_similarity, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as Keras writes them."""
        return without_defaults(super().get_config(), axis=-1)
