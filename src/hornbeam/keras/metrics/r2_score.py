"""How much of the variance predictions explain."""

from __future__ import annotations

from typing import Any

from hornbeam.core.errors import unknown_name
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.metrics.scores import determination, square_sums

AGGREGATIONS = ("uniform_average", "variance_weighted_average")


@registry.add
class R2Score(Metric):
    """1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2): 1 is perfect, 0 as good as the mean

    y_true and y_pred are (b, d). `class_aggregation` averages the columns, evenly or by their variance; None keeps them.
    With `num_regressors` the score is adjusted: 1 - (1 - R2) * (n - 1) / (n - num_regressors - 1), unless there are
    too few samples.

    >>> from hornbeam import keras
    >>> float(keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]))
    0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        """Raises ValueError for an unknown aggregation and for a negative number of regressors."""
        super().__init__(name=name, dtype=dtype)
        if class_aggregation is not None and class_aggregation not in AGGREGATIONS:
            raise unknown_name("class_aggregation", class_aggregation, AGGREGATIONS)
        if num_regressors < 0:
            raise ValueError(f"`num_regressors` is 0 or more; received {num_regressors!r}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth and predictions, (b, d); weights are for samples, (b,), or for each value."""
        found = as_tensors(y_pred)
        sums = square_sums(
            as_tensors(y_true), found, as_tensors(sample_weight), masks_of(y_pred), self.dtype
        )
        if not self._built:
            self._make_sums(tuple(sums[0].shape))
        for variable, value in zip(self._sums(), sums, strict=True):
            variable.assign_add(value)
        rows, columns = found.shape[0], sums[0].shape[0]
        self.num_samples.assign_add(float(rows * columns))

    def _make_sums(self, shape: tuple[int, ...]) -> None:
        self.squared_sum, self.sum, self.total_mse, self.count = (
            self.add_variable(shape, "zeros", name=name)
            for name in ("squared_sum", "sum", "residual", "count")
        )
        self._built = True

    def _sums(self) -> list[Any]:
        return [self.squared_sum, self.sum, self.total_mse, self.count]

    def result(self) -> Any:
        """Return the score, (d,) without an aggregation; NaN before the first batch."""
        if not self._built:
            return convert_to_tensor(float("nan"))
        return determination(
            self._sums(), self.num_samples, self.class_aggregation, self.num_regressors
        )
