"""What callbacks that watch one metric share: its value, its direction, what counts as better."""

from __future__ import annotations

import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.keras.callbacks.callback import Callback
from hornbeam.keras.callbacks.logs import Logs, as_float

# How names end, for metrics that don't tell their direction themselves.
HIGHER_IS_BETTER = (
    *(
        "acc",
        "accuracy",
        "auc",
        "precision",
        "recall",
        "f1",
        "f1_score",
        "fbeta_score",
        "fmeasure",
        "iou",
        "r2_score",
    ),
    *("cosine_similarity", "true_positives", "true_negatives"),
)
LOWER_IS_BETTER = (
    *(
        "loss",
        "error",
        "mse",
        "mae",
        "mape",
        "msle",
        "rmse",
        "crossentropy",
        "perplexity",
        "hinge",
        "divergence",
    ),
    *("poisson", "logcosh", "log_cosh", "false_positives", "false_negatives"),
)


class MonitorCallback(Callback):
    """Base of EarlyStopping, ModelCheckpoint and ReduceLROnPlateau.

    `mode` is "min", "max" or "auto": then the metric of that name in the model tells its direction, else the name does.
    `best` is the best value so far, `monitor_op` the comparison (None until the direction is known).
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        best: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode. Known modes: auto, min, max.",
                stacklevel=3,
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
        """The monitored value, or None after a warning (once) that lists what there is."""
        value = as_float((logs or {}).get(self.monitor))
        if value is None and not self._warned:
            self._warned = True
            available = ", ".join(logs or {}) or "none"
            warnings.warn(
                f"{type(self).__name__} monitors the metric `{self.monitor}`, which is not available. "
                f"Available metrics are: {available}.",
                stacklevel=3,
            )
        return value

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Whether `value` is better than `reference` by more than `min_delta`; anything is better than None and NaN."""
        if self.monitor_op is None:
            self._set_direction()
        if reference is None or (isinstance(reference, float) and math.isnan(reference)):
            return True
        assert self.monitor_op is not None
        # The sign of min_delta follows the direction; the sum is written as Keras does, to the last bit.
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
        if name.endswith(HIGHER_IS_BETTER):
            return True
        if name.endswith(LOWER_IS_BETTER):
            return False
        raise ValueError(
            f"{type(self).__name__} received monitor='{self.monitor}', and neither a metric of the model nor the name tells "
            "whether high or low values are better. Pass `mode='max'` for a metric to be maximised, `mode='min'` for one to "
            "be minimised."
        )


def _bare(monitor: str) -> str:
    return monitor.removeprefix("val_")


def _all_metrics(owner: Any) -> Iterator[Any]:
    """The metrics of a model, and those that a metric holds in turn."""
    for metric in getattr(owner, "metrics", None) or ():
        yield metric
        yield from _all_metrics(metric)
