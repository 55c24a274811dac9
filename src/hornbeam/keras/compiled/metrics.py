"""What `compile(metrics=..., weighted_metrics=...)` means for a model's outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax

from hornbeam.core.names import object_name
from hornbeam.core.scope import StateScope
from hornbeam.core.symbolic import KerasTensor, infer
from hornbeam.core.tensor import Tensor
from hornbeam.keras import metrics
from hornbeam.keras.compiled.outputs import (
    PerOutput,
    Tensors,
    flat_values,
    has_names,
    output_names,
    per_output,
    targets_per_output,
    weights_per_output,
)

MetricLike: TypeAlias = "metrics.Metric | Callable[..., Any] | str | Mapping[str, Any]"
"""A metric, a function of (y_true, y_pred), a name, or a configuration."""

_ACCURACY = {
    "binary": metrics.BinaryAccuracy,
    "sparse": metrics.SparseCategoricalAccuracy,
    "categorical": metrics.CategoricalAccuracy,
}
_CROSSENTROPY = {
    "binary": metrics.BinaryCrossentropy,
    "sparse": metrics.SparseCategoricalCrossentropy,
    "categorical": metrics.CategoricalCrossentropy,
}


_BY_SHAPE = {
    "accuracy": _ACCURACY,
    "acc": _ACCURACY,
    "crossentropy": _CROSSENTROPY,
    "ce": _CROSSENTROPY,
}


class CompileMetrics:
    """The metrics of all outputs, updated together."""

    name = "compile_metrics"

    def __init__(
        self, metrics: PerOutput[MetricLike], weighted_metrics: PerOutput[MetricLike]
    ) -> None:
        """Lists, lists of lists or dicts by name of output, of names, functions and metrics."""
        self.given = metrics
        self.given_weighted = weighted_metrics
        self.is_given = bool(jax.tree.leaves([metrics, weighted_metrics]))
        self.entries: list[tuple[int, Any, str, bool]] | None = (
            None  # (place, metric, name in logs, weighted)
        )

    def build(
        self,
        y: Tensors,
        y_pred: Tensors,
        names: list[str] | None,
        taught: list[int] | None = None,
        traces: bool = True,
    ) -> None:
        """Make the metrics; "accuracy" becomes the kind that fits the shapes of targets and outputs.

        `taught` are the places of the outputs that have a loss. With `traces`, a metric that makes its variables on
        its first update makes them now, before a program needs them.
        """
        self._taught = taught
        self.names = output_names(y_pred, names)
        named = has_names(y_pred, names)
        outputs = flat_values(y_pred)
        targets = targets_per_output(y, self.names, taught) if self.is_given else outputs
        found: list[tuple[int, Any, str, bool]] = []
        counts: Counter[str] = Counter()
        for weighted, what in ((False, "metrics"), (True, "weighted_metrics")):
            given = self.given_weighted if weighted else self.given
            for i, entry in enumerate(_lists(what, given, self.names)):
                for each in entry:
                    metric = _metric(each, targets[i], outputs[i])
                    prefix = f"{self.names[i]}_" if named and len(self.names) > 1 else ""
                    name = prefix + metric.name
                    if weighted and counts[name]:
                        name = f"{prefix}weighted_{metric.name}"
                    found.append((i, metric, _numbered(name, counts), weighted))
                    if traces:
                        _make_variables(metric, targets[i], outputs[i])
        self.entries = found

    @property
    def metrics(self) -> list[Any]:
        """The metrics; empty before the model has seen data."""
        return [metric for _, metric, _, _ in self.entries or []]

    @property
    def variables(self) -> list[Any]:
        """The variables of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    def update_state(self, y: Tensors, y_pred: Tensors, sample_weight: Tensors = None) -> None:
        """Update all metrics with a batch."""
        if not self.entries:
            return
        targets = targets_per_output(y, self.names, self._taught)
        weights = weights_per_output(sample_weight, self.names)
        outputs = flat_values(y_pred)
        for i, metric, _, weighted in self.entries:
            if targets[i] is None:
                continue
            if weighted and weights[i] is not None:
                metric.update_state(targets[i], outputs[i], sample_weight=weights[i])
            else:
                metric.update_state(targets[i], outputs[i])

    def result(self) -> dict[str, Any]:
        """Return the values by name."""
        logs: dict[str, Any] = {}
        for _, metric, name, _ in self.entries or []:
            value = metric.result()
            logs.update(value if isinstance(value, dict) else {name: value})
        return logs

    def reset_state(self) -> None:
        """Reset all metrics."""
        for metric in self.metrics:
            metric.reset_state()


def _numbered(name: str, counts: Counter[str]) -> str:
    """Return the name the first time, then name_1, name_2, ..."""
    counts[name] += 1
    return name if counts[name] == 1 else f"{name}_{counts[name] - 1}"


def _make_variables(
    metric: metrics.Metric, target: KerasTensor | None, output: KerasTensor
) -> None:
    """Let a metric that makes its variables on its first update do so before the first step is compiled."""
    made = metric.variables and getattr(metric, "_built", True)
    if made or target is None:
        return

    def update(y: Tensor, y_pred: Tensor) -> Tensor:
        with StateScope():
            metric.update_state(y, y_pred)
        return y_pred

    infer(update, target, output)


def check_metrics(*given: PerOutput[MetricLike]) -> None:
    """Raise ValueError for a name that is no metric, before any data is needed."""
    for tree in given:
        for each in jax.tree.leaves(tree):
            if isinstance(each, str) and each.lower() not in _BY_SHAPE:
                metrics.get(each)


def _lists(what: str, given: PerOutput[MetricLike], names: list[str]) -> list[list[Any]]:
    """Return a list of metrics for each output."""
    if not given:
        return [[] for _ in names]
    if not isinstance(given, (list, tuple, dict)):
        given = [given]
    if (
        len(names) == 1
        and isinstance(given, (list, tuple))
        and not any(isinstance(g, (list, tuple)) for g in given)
    ):
        return [[each for each in given if each is not None]]
    entries = per_output(what, given, names)
    return [[] if e is None else list(e) if isinstance(e, (list, tuple)) else [e] for e in entries]


def _metric(given: MetricLike, target: KerasTensor | None, output: KerasTensor) -> metrics.Metric:
    if isinstance(given, metrics.Metric):
        return given
    name = str(given).lower() if isinstance(given, str) else ""
    if name in _BY_SHAPE:
        return _BY_SHAPE[name][_kind(target, output)](name=str(given))
    found = metrics.get(given)
    label = str(given) if isinstance(given, str) else object_name(found)
    if isinstance(found, metrics.Metric):
        found.name = label
        return found
    return metrics.MeanMetricWrapper(found, name=label)


def _kind(target: KerasTensor | None, output: KerasTensor) -> str:
    """Return which accuracy is meant, by the shapes as in Keras."""
    if target is None:
        return "categorical" if output.shape[-1] != 1 else "binary"
    if output.shape and output.shape[-1] == 1:
        return "binary"
    rank_less = len(target.shape) < len(output.shape)
    return (
        "sparse"
        if rank_less or (target.shape[-1] == 1 and output.shape[-1] != 1)
        else "categorical"
    )
