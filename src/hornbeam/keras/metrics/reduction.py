"""Sums and means over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam.keras.engine.criteria import (
    as_tensors,
    function_config,
    masks_of,
    same_rank_pair,
)
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.losses.common import ratio
from hornbeam.ops.metrics.totals import sample_totals, weighted_sum


@registry.add
class Sum(Metric):
    """The weighted sum of all values.

    >>> from hornbeam import keras
    >>> total = keras.metrics.Sum()
    >>> total.update_state([1.0, 3.0, 5.0]); total.update_state([1.0], sample_weight=0.5)
    >>> float(total.result())
    9.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values of any shape; weights are for samples, (b,), or for all values."""
        values = as_tensors(values)
        total = weighted_sum(values, as_tensors(sample_weight), masks_of(values), self.dtype)
        self.total.assign_add(total)

    def result(self) -> Any:
        """Return the sum."""
        return self.total.value


@registry.add
class Mean(Metric):
    """The weighted mean of all values: sum(weight * value) / sum(weight), 0 before the first.

    >>> from hornbeam import keras
    >>> mean = keras.metrics.Mean()
    >>> mean.update_state([1.0, 3.0]); mean.update_state([5.0, 7.0], sample_weight=[1.0, 0.0])
    >>> float(mean.result())
    3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.count = self.add_variable((), "zeros", self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values, (b, ...); weights are for samples, (b,), or for all values."""
        values = as_tensors(values)
        self._add(values, sample_weight, masks_of(values))

    def _add(self, values: Any, sample_weight: Any, masks: list[Any]) -> None:
        total, count = sample_totals(values, as_tensors(sample_weight), masks, self.dtype)
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Any:
        """Return the mean."""
        return ratio(self.total, self.count)


@registry.add
class MeanMetricWrapper(Mean):
    """The mean of a function `(y_true, y_pred, **kwargs)` that returns one number for each sample.

    >>> from hornbeam import keras
    >>> error = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="huber", delta=2.0)
    >>> float(error([[0.0]], [[1.0]]))
    0.5
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keep `kwargs` for the calls of the function."""
        super().__init__(name=name, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth and predictions; a mask that `y_pred` carries leaves values out."""
        pair = same_rank_pair(as_tensors(y_true), as_tensors(y_pred))
        values = self.fn(*pair, **self._fn_kwargs)
        self._add(values, sample_weight, masks_of(y_pred, values))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        if "fn" in config:  # a subclass that chooses the function itself has no such argument
            config = {**config, "fn": function_config(self.fn), **self._fn_kwargs}
        return config
