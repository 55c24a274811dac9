"""A model as far as callbacks see one, recording what they do to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


class Rate:
    """A float32 scalar that can be assigned, as an optimizer's learning rate is."""

    def __init__(self, value: float):
        self._value = np.float32(value)

    def __float__(self) -> float:
        return float(self._value)

    def assign(self, value: Any) -> None:
        self._value = np.float32(value)


class FakeModel:
    def __init__(self, metrics: tuple[Any, ...] = (), learning_rate: float = 0.1):
        self.stop_training = False
        self.metrics = list(metrics)
        self.optimizer = SimpleNamespace(learning_rate=Rate(learning_rate))
        self.weight = 0
        self.done: list[tuple[str, Any]] = []

    def get_weights(self) -> list[Any]:
        return [np.array(self.weight)]

    def set_weights(self, weights: list[Any]) -> None:
        self.done.append(("set_weights", int(weights[0])))

    def save_weights(self, path: str, overwrite: bool = True) -> None:
        self.done.append(("save_weights", path))

    def save(self, path: str, overwrite: bool = True) -> None:
        self.done.append(("save", path))


def train(
    callback: Any, epoch_logs: list[dict[str, Any]], model: Any = None, batches: int = 0
) -> Any:
    """Run the hooks as `fit` does, one dict of logs for each epoch; returns the model."""
    model = model or FakeModel()
    callback.set_model(model)
    callback.set_params({"verbose": 0, "epochs": len(epoch_logs), "steps": batches})
    callback.on_train_begin({})
    for epoch, logs in enumerate(epoch_logs):
        callback.on_epoch_begin(epoch, {})
        for batch in range(batches):
            callback.on_train_batch_end(batch, {"loss": 10.0 - epoch - batch})
        model.weight = epoch + 1
        callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callback.on_train_end({})
    return model
