"""Losses and metrics in files that go from one library to the other and back, and a step of training with them.

Each has a head of its own in one model: a Dense whose outputs are logits, probabilities or class probabilities, as the loss
or metric expects. What differs has the name of its head.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbeam import keras
from tests.parity import test_losses, test_metrics
from tests.parity.exchange import check_there_and_back
from tests.parity.test_round_trips import DROPPED

# What a head does to its logits, by the kind of data; none is for kinds with "logits" in their name.
ACTIVATIONS = {
    **dict.fromkeys(("binary", "flat binary", "positive", "counts"), "sigmoid"),
    **dict.fromkeys(("one-hot", "classes", "distributions"), "softmax"),
}
ROWS, WIDTH = 6, 4


def truth(kind: str) -> np.ndarray:
    """Return targets of shape (rows, width), or (rows,) for class numbers."""
    if kind == "labels":
        return test_losses.data("classes")[0][:, 0].astype("float32")
    if kind == "flat binary":
        return test_losses.data("binary")[0][:, 0, 0].astype("float32")
    array = test_losses.data(kind)[0][:, 0]
    return array.astype("float32" if array.ndim > 1 else "int32")


class Head:
    """A loss with its targets, or a metric under the loss "mse"."""

    def __init__(self, of: Any, name: str, arguments: dict[str, Any], kind: str) -> None:
        self.made = getattr(of, name)(**arguments)
        self.name, self.kind = name, kind
        self.y = truth(kind)

    def output(self, x: Any, number: int) -> Any:
        # A metric of labels compares numbers, one for each row.
        units = 1 if self.kind in ("labels", "flat binary") else WIDTH
        return keras.layers.Dense(
            units, ACTIVATIONS.get(self.kind), name=f"{self.name}_{number}".lower()
        )(x)


def heads_of(of: Any, cases: Any, kind: str) -> list[Head]:
    """Return a head for each row of a table of parity.

    Left out are those of which Keras drops an argument, an axis of batches that have more of them, numbers of classes as
    predictions, which no layer makes, `R2Score` of regressors, of which Keras asks a Python bool in its step, and `Mean` and
    `Sum`, which take no targets: Keras can't compile a model with them.
    """
    return [
        Head(of, name, arguments, data)
        for name, arguments, data in cases
        if DROPPED.get(f"{kind}.{name}") not in arguments
        and not {"axis", "num_regressors"} & arguments.keys()
        and data not in ("values", "flat labels")
    ]


def model_of(heads: list[Head]) -> tuple[Any, np.ndarray]:
    x = keras.Input((5,))
    model = keras.Model(x, [head.output(x, i) for i, head in enumerate(heads)])
    return model, np.random.default_rng(3).normal(size=(ROWS, 5)).astype("float32")


def test_every_loss(tmp_path: Path) -> None:
    heads = heads_of(keras.losses, test_losses.CASES, "losses")
    model, x = model_of(heads)
    weights = [0.5] * len(heads)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), [head.made for head in heads], weights)
    check_there_and_back(model, x, [head.y for head in heads], tmp_path, ("keras",))


@pytest.mark.slow
def test_every_metric(tmp_path: Path) -> None:
    heads = heads_of(keras.metrics, test_metrics.CASES, "metrics")
    model, x = model_of(heads)
    losses = [None if head.y.ndim == 1 else "mse" for head in heads]
    model.compile("sgd", losses, metrics=[[head.made] for head in heads])
    check_there_and_back(model, x, [head.y for head in heads], tmp_path, ("keras",))
