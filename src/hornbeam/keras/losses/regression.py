"""Losses of predicted numbers. y_true and y_pred are (b, ..., d); the formulas are on the functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.keras.engine.criteria import without_defaults
from hornbeam.keras.losses.base import Loss, registry
from hornbeam.ops import losses as fn


@registry.add
class MeanSquaredError(Loss):
    """mean((y_true - y_pred)^2)

    >>> from hornbeam import keras
    >>> float(keras.losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]))
    2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.mean_squared_error(y_true, y_pred)


@registry.add
class MeanAbsoluteError(Loss):
    """mean(|y_true - y_pred|)

    >>> from hornbeam import keras
    >>> float(keras.losses.MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 3.0]]))
    1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.mean_absolute_error(y_true, y_pred)


@registry.add
class MeanAbsolutePercentageError(Loss):
    """100 * mean(|y_true - y_pred| / |y_true|), in percent

    >>> from hornbeam import keras
    >>> float(keras.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.mean_absolute_percentage_error(y_true, y_pred)


@registry.add
class MeanSquaredLogarithmicError(Loss):
    """mean((log(y_true + 1) - log(y_pred + 1))^2)

    >>> from hornbeam import keras
    >>> float(keras.losses.MeanSquaredLogarithmicError()([[0.0, 3.0]], [[0.0, 1.0]]))
    0.240
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.mean_squared_logarithmic_error(y_true, y_pred)


@registry.add
class LogCosh(Loss):
    """mean(log(cosh(y_pred - y_true)))

    >>> from hornbeam import keras
    >>> float(keras.losses.LogCosh()([[0.0]], [[1.0]]))
    0.4338
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.log_cosh(y_true, y_pred)


@registry.add
class Huber(Loss):
    """The squared error where it is small, the absolute error beyond `delta`

    >>> from hornbeam import keras
    >>> float(keras.losses.Huber(delta=1.0)([[0.0, 0.0]], [[0.5, 3.0]]))
    1.3125
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.huber(y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; delta, which Keras drops, is written where it is not 1."""
        return without_defaults(super().get_config(), delta=1.0)


@registry.add
class CosineSimilarity(Loss):
    """The negative cosine of the angle between y_true and y_pred: -1 for the same direction

    >>> from hornbeam import keras
    >>> float(keras.losses.CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 2.0]]))
    -0.5
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """(b, ..., d) -> (b, ...)"""
        return fn.cosine_similarity(y_true, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as Keras writes them."""
        return without_defaults(super().get_config(), axis=-1)
