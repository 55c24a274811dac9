"""F-scores: means of precision and recall."""

from __future__ import annotations

from typing import Any

from hornbeam.core.errors import unknown_name
from hornbeam.core.tensor import convert_to_tensor
from hornbeam.keras.engine.criteria import as_tensors, masks_of
from hornbeam.keras.metrics.base import Metric, registry
from hornbeam.ops.metrics.scores import f_score, hit_counts

AVERAGES = ("micro", "macro", "weighted")


@registry.add
class FBetaScore(Metric):
    """(1 + beta^2) * precision * recall / (beta^2 * precision + recall), for each class

    y_true and y_pred are (b, classes). `average`: None for one score a class, "micro" counts all classes together,
    "macro" takes the mean over classes, "weighted" the mean by how often each is true. y_pred above `threshold` is a
    hit, without one the highest of the row.

    >>> from hornbeam import keras
    >>> y, p = [[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> print(keras.metrics.FBetaScore(beta=2.0, threshold=0.5)(y, p).numpy().round(4))
    [0.3846 0.9091 0.8333]
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        """Raises ValueError for an unknown average, a `beta` that is no positive float and a threshold beyond (0, 1]."""
        super().__init__(name=name, dtype=dtype)
        if average is not None and average not in AVERAGES:
            raise unknown_name("average", average, AVERAGES)
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"`beta` is a float above 0, such as 1.0; received {beta!r}.")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                f"`threshold` is a float above 0 and up to 1, or None; received {threshold!r}."
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False
        if average == "micro":
            self._make_counts(())

    def _make_counts(self, shape: tuple[int, ...]) -> None:
        self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights = (
            self.add_variable(shape, "zeros", self.dtype, name=name)
            for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        )  # fmt: skip
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in truth, 0 or 1, and scores, (b, classes); weights are for samples."""
        scores = as_tensors(y_pred)
        counts = hit_counts(
            as_tensors(y_true),
            scores,
            self.threshold,
            as_tensors(sample_weight),
            masks_of(y_pred),
            self.average != "micro",
            self.dtype,
        )
        if not self._built:
            self._make_counts(tuple(counts[0].shape))
        for variable, count in zip(self._counts(), counts, strict=True):
            variable.assign_add(count)

    def _counts(self) -> list[Any]:
        return [
            self.true_positives,
            self.false_positives,
            self.false_negatives,
            self.intermediate_weights,
        ]

    def result(self) -> Any:
        """Return the score, (classes,) without an average; 0 before the first batch."""
        if not self._built:
            return convert_to_tensor(0.0)
        return f_score(self._counts(), self.beta, self.average)


@registry.add
class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall), for each class

    y_true and y_pred are (b, classes); the arguments are those of `FBetaScore`.

    >>> from hornbeam import keras
    >>> y, p = [[1, 1, 1], [1, 0, 0], [1, 1, 0]], [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    >>> print(keras.metrics.F1Score(threshold=0.5)(y, p).numpy().round(4))
    [0.5    0.8    0.6667]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
