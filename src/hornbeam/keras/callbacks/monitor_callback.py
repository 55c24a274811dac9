"""The base of callbacks that monitor one metric: its value, its direction, and which of two values is better."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.core.user_code import warn
from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs, as_float

# Endings of names, for metrics that have no direction of their own.
HIGHER_IS_BETTER = re.compile(
    "(acc|accuracy|auc|precision|recall|f1|f1_score|fbeta_score|fmeasure|iou|r2_score|"
    "cosine_similarity|true_positives|true_negatives)$"
)
LOWER_IS_BETTER = re.compile(
    "(loss|error|mse|mae|mape|msle|rmse|crossentropy|perplexity|hinge|divergence|poisson|"
    "logcosh|log_cosh|false_positives|false_negatives)$"
)


class MonitorCallback(Callback):
    """Base of EarlyStopping, ModelCheckpoint and ReduceLROnPlateau.

    `mode` is "min", "max" or "auto": the direction is that of the model's metric of that name, or else is known by the
    end of the name. `best` is the best value so far, `monitor_op` the comparison (None until the direction is known).
    """

    _identity_names: tuple[str, ...] = ("monitor",)

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        best: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(
                f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode. Known modes: auto, min, max.",
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = best
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], bool] | None = None
        self._warned = False
        if mode != "auto" or _bare(monitor) == "loss":
            self._set_direction()

    def get_monitor_value(self, logs: Logs) -> Any:
        """Return the monitored value; where the logs lack it, warn once and return None."""
        value = as_float((logs or {}).get(self.monitor))
        if value is None and not self._warned:
            self._warned = True
            available = ", ".join(logs or {}) or "none"
            warn(
                f"{type(self).__name__} monitors the metric `{self.monitor}`, which is not available. "
                f"Available metrics are: {available}.",
            )
        return value

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Return whether `value` is better than `reference` by more than `min_delta`.

        The first value is better than None. NaN is worse than every number, and no better than NaN.
        """
        if self.monitor_op is None:
            self._set_direction()
        if reference is None:
            return True
        if _is_nan(reference):
            return not _is_nan(value)
        assert self.monitor_op is not None
        # Comparisons with NaN are False: NaN is no improvement. The difference is rounded as in Keras.
        return bool(self.monitor_op(value - self.min_delta, reference))

    def _set_direction(self) -> None:
        higher = self.mode == "max" if self.mode != "auto" else self._higher_is_better()
        self.monitor_op = operator.gt if higher else operator.lt
        self.min_delta = abs(self.min_delta) if higher else -abs(self.min_delta)

    def _higher_is_better(self) -> bool:
        name = _bare(self.monitor)
        if name == "loss":
            return False
        for metric in _all_metrics(self.model):
            direction = getattr(metric, "_direction", None)
            if getattr(metric, "name", None) == name and direction in ("up", "down"):
                return direction == "up"
        name = re.sub(r"_\d+$", "", name).lower()  # a second metric of the same kind: auc_1
        if HIGHER_IS_BETTER.search(name):
            return True
        if LOWER_IS_BETTER.search(name):
            return False
        raise ValueError(
            f"{type(self).__name__} received monitor='{self.monitor}', and neither a metric of the model nor the name tells "
            "whether high or low values are better. Pass `mode='max'` for a metric to be maximised, `mode='min'` for one to "
            "be minimised."
        )


def _bare(monitor: str) -> str:
    return monitor.removeprefix("val_")


def _is_nan(value: Any) -> bool:
    number = as_float(value)
    return isinstance(number, float) and math.isnan(number)


def _all_metrics(owner: Any) -> Iterator[Any]:
    """Yield the metrics of a model, and the metrics inside of metrics."""
    for metric in getattr(owner, "metrics", None) or ():
        yield metric
        yield from _all_metrics(metric)
