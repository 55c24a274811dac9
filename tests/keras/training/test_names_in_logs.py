"""What losses and metrics are called in logs: the names that Keras 3.15.1 shows for the same arguments."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from hornbeam import keras
from hornbeam.core.symbolic import KerasTensor
from hornbeam.keras import losses, metrics
from hornbeam.keras.compiled.loss import CompileLoss
from hornbeam.keras.compiled.metrics import CompileMetrics

ONE = KerasTensor((None, 1), "float32")


def squares(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def CamelCase(y_true, y_pred):
    return squares(y_true, y_pred)


class Callable:
    def __call__(self, y_true, y_pred):
        return squares(y_true, y_pred)


class Labelled(Callable):
    name = "label"


class OwnLoss(losses.Loss):
    def call(self, y_true, y_pred):
        return squares(y_true, y_pred)


class OwnMetric(metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(squares(y_true, y_pred))


anonymous = lambda y_true, y_pred: squares(y_true, y_pred)  # noqa: E731

# What is given -> its name as a metric, and as one of several losses of outputs without names.
BOTH: list[tuple[Any, str]] = [
    (anonymous, "lambda"),
    (partial(squares), "partial"),
    (Callable(), "callable"),
    (Labelled(), "label"),
    (Callable().__call__, "__call__"),
    (squares, "squares"),
    (CamelCase, "camel_case"),
    ("mse", "mse"),
    ("mean_squared_error", "mean_squared_error"),
    (losses.mean_squared_error, "mean_squared_error"),
    (losses.MeanSquaredError(), "mean_squared_error"),
    (losses.MeanSquaredError(name="mine"), "mine"),
    (losses.MeanSquaredError, "mean_squared_error"),
    (OwnLoss, "own_loss"),
]
METRICS: list[tuple[Any, str]] = [
    ("MAE", "MAE"),
    ("acc", "acc"),
    ("Accuracy", "Accuracy"),
    ("BinaryAccuracy", "BinaryAccuracy"),
    ("MeanSquaredError", "MeanSquaredError"),
    (metrics.binary_accuracy, "binary_accuracy"),
    (metrics.MeanSquaredError, "mean_squared_error"),
    (metrics.MeanSquaredError(name="mine"), "mine"),
    (OwnMetric, "mean"),  # the default of the class that it derives from
]


def ids(rows):
    return [f"{name}-{i}" for i, (_, name) in enumerate(rows)]


def metric_names(plain: Any, weighted: Any = None, outputs: list[str] | None = None) -> list[str]:
    keras.utils.clear_session()
    compiled = CompileMetrics(plain, weighted)
    several = [ONE] * len(outputs) if outputs else ONE
    compiled.build(several, several, outputs)
    return sorted(compiled.result())


@pytest.mark.parametrize(("given", "name"), BOTH + METRICS, ids=ids(BOTH + METRICS))
def test_metrics(given, name):
    assert metric_names([given]) == [name]
    assert metric_names([[given], ["mape"]], outputs=["a", "b"]) == [f"a_{name}", "b_mape"]


@pytest.mark.parametrize(
    ("given", "name"),
    [*BOTH, ("MeanSquaredError", "mean_squared_error")],
    ids=ids([*BOTH, (None, "by class")]),
)
def test_losses(given, name):
    keras.utils.clear_session()
    compiled = CompileLoss([given, "mape"])
    compiled.build([ONE, ONE], None)
    assert [each.name for each in compiled.trackers] == [f"{name}_loss", "mape_loss"]
    compiled = CompileLoss({"a": given, "b": given})
    compiled.build([ONE, ONE], ["a", "b"])
    assert [each.name for each in compiled.trackers] == ["a_loss", "b_loss"]


@pytest.mark.parametrize(
    ("plain", "weighted", "names"),
    [
        ([anonymous, anonymous], None, ["lambda", "lambda_1"]),
        (["mae"], ["mae"], ["mae", "weighted_mae"]),
        ([], ["mae", "mae"], ["mae", "weighted_mae"]),
        (
            ["mae", "mae"],
            ["mae", "mae", "mse"],
            ["mae", "mae_1", "mse", "weighted_mae", "weighted_mae_1"],
        ),
        ([anonymous], [anonymous, squares], ["lambda", "squares", "weighted_lambda"]),
    ],
)
def test_names_that_meet(plain, weighted, names):
    assert metric_names(plain, weighted) == names


def test_names_that_meet_in_one_of_two_outputs():
    names = metric_names([["mae"], ["mae"]], [["mae"], ["mae", "mae"]], ["a", "b"])
    assert names == ["a_mae", "a_weighted_mae", "b_mae", "b_weighted_mae", "b_weighted_mae_1"]


def test_a_loss_serves_as_a_metric():
    value = CompileMetrics([losses.MeanSquaredError()], None)
    value.build(ONE, ONE, None)
    value.update_state(keras.ops.array([[1.0], [3.0]]), keras.ops.array([[0.0], [0.0]]))
    assert float(value.result()["mean_squared_error"]) == 5.0
