"""What `compile(loss=...)` means for a model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from hornbeam.keras import losses, metrics
from hornbeam.keras.compiled.outputs import (
    PerOutput,
    Tensors,
    find_targets,
    flat_values,
    has_names,
    output_names,
    per_output,
    targets_per_output,
    unique_names,
    weights_per_output,
)
from hornbeam.keras.losses.labels import check_labels
from hornbeam.keras.losses.lookup import as_loss

LossLike: TypeAlias = "losses.Loss | Callable[..., Any] | str | Mapping[str, Any]"
"""A loss, a function of (y_true, y_pred), a name, or a configuration."""

_OF_CLASSES = (
    losses.SparseCategoricalCrossentropy,
    losses.CategoricalCrossentropy,
    losses.CategoricalFocalCrossentropy,
)


class CompileLoss:
    """The weighted sum of the losses of all outputs; each output's own loss is kept as a metric."""

    def __init__(self, loss: PerOutput[LossLike], loss_weights: PerOutput[float] = None) -> None:
        """`loss` and `loss_weights`: one for all outputs, a list, or a dict by name of output."""
        self.loss = loss
        self.loss_weights = loss_weights
        self.trackers: list[Any] = []  # one mean for each loss, where there are several
        self.entries: list[tuple[int, Any, float]] | None = (
            None  # (place of the output, loss, weight)
        )
        if not isinstance(loss, (list, tuple, dict)):
            losses.get(loss)  # an unknown name is an error now, not in fit

    def build(self, y_pred: Tensors, names: list[str] | None) -> None:
        """Find which loss belongs to which output."""
        self.names = output_names(y_pred, names)
        self._shapes = [tuple(each.shape) for each in flat_values(y_pred)]
        found = [losses.get(each) for each in per_output("loss", self.loss, self.names)]
        weights = per_output("loss_weights", self.loss_weights, self.names)
        self.entries = [
            (i, as_loss(loss), 1.0 if weight is None else float(weight))
            for i, (loss, weight) in enumerate(zip(found, weights, strict=True))
            if loss is not None
        ]
        if isinstance(y_pred, dict) and isinstance(
            self.loss, dict
        ):  # in the user's order, as in Keras
            order = list(self.loss)
            self.entries.sort(key=lambda entry: order.index(self.names[entry[0]]))
        if len(self.entries) > 1:
            labels = [f"{self.names[i]}_loss" for i, _, _ in self.entries]
            if not has_names(y_pred, names):  # Keras names the losses themselves then
                given = per_output("loss", self.loss, self.names)
                labels = [f"{_name(given[i], loss)}_loss" for i, loss, _ in self.entries]
            self.trackers = [metrics.Mean(name=label) for label in unique_names(labels)]

    @property
    def places(self) -> list[int] | None:
        """The places of the outputs that have a loss; None before the model has seen data."""
        return None if self.entries is None else sorted(i for i, _, _ in self.entries)

    def check_targets(self, y: Tensors) -> None:
        """Raise ValueError for class numbers that the model has no output for; the device would not notice them."""
        if self.entries is None or y is None:
            return
        targets = find_targets(y, self.names, self.places) or {}
        for i, loss, _ in self.entries:
            sparse = isinstance(loss, losses.SparseCategoricalCrossentropy)
            classes = self._shapes[i][loss.axis] if sparse else None
            if classes is not None and targets.get(i) is not None:
                name = f"y ({self.names[i]})" if len(targets) > 1 else "y"
                check_labels(np.asarray(targets[i]), classes, name, loss.ignore_class)

    def require_targets(self, y: Tensors) -> list[Any]:
        """Return the targets in the order of the outputs. Raises ValueError where one that has a loss has none."""
        targets = targets_per_output(y, self.names, self.places)
        for i in self.places or []:
            if targets[i] is None:
                raise ValueError(
                    f"There is a loss for the output {self.names[i]!r} but no target: pass `y` to fit and evaluate."
                )
        return targets

    def class_count(self) -> int | None:
        """Return the number of classes of a model with one loss; None where it does not tell classes apart."""
        if self.entries is None or len(self.entries) != 1:
            return None
        place, loss, _ = self.entries[0]
        if isinstance(loss, _OF_CLASSES):
            return self._shapes[place][loss.axis]
        if isinstance(loss, losses.BinaryCrossentropy) and self._shapes[place][-1] == 1:
            return 2
        return None

    def __call__(
        self,
        y: Tensors,
        y_pred: Tensors,
        sample_weight: Tensors = None,
        names: list[str] | None = None,
    ) -> Any:
        """Return the total loss, a scalar."""
        if self.entries is None:
            self.build(y_pred, names)
        assert self.entries is not None
        targets = self.require_targets(y)
        weights = weights_per_output(sample_weight, self.names)
        outputs = flat_values(y_pred)
        total: Any = 0.0
        for number, (i, loss, loss_weight) in enumerate(self.entries):
            value = loss(targets[i], outputs[i], sample_weight=weights[i])
            if self.trackers:
                self.trackers[number].update_state(value, sample_weight=outputs[i].shape[0])
            total = total + (value if loss_weight == 1.0 else value * loss_weight)
        return total


def _name(given: LossLike, loss: losses.Loss) -> str:
    # The name of a function, "mse", stays as the user wrote it; a class has the name of its objects.
    if isinstance(given, str) and not isinstance(losses.get(given), losses.Loss):
        return given
    return loss.name
