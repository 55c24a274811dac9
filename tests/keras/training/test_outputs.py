"""Losses, metrics and targets of models with several outputs, and of models inside models."""

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")
MORE = RNG.normal(size=(12, 5)).astype("float32")


def heads(**kwargs):
    x = keras.Input((3,))
    model = keras.Model(x, [layers.Dense(2, name="learns")(x), layers.Dense(5, name="shows")(x)])
    model.compile("sgd", **kwargs)
    return model


@pytest.mark.parametrize(
    "y", [Y, [Y], [Y, MORE], {"learns": Y}], ids=["array", "list", "all", "dict"]
)
def test_an_output_without_a_loss_needs_no_target(y):
    model = heads(loss=["mse", None], metrics=[["mae"], None])
    outputs = model.predict(X, verbose=0)
    logs = model.evaluate(X, y, verbose=0, return_dict=True)
    assert_close(logs["loss"], np.mean((outputs[0] - Y) ** 2))
    assert_close(logs["learns_mae"], np.mean(np.abs(outputs[0] - Y)))
    model.train_on_batch(X, y)


def test_targets_belong_to_the_outputs_that_have_a_loss():
    model = heads(loss=[None, "mse"])
    outputs = model.predict(X, verbose=0)
    assert_close(model.evaluate(X, MORE, verbose=0), np.mean((outputs[1] - MORE) ** 2))


def test_labels_of_a_later_output_are_checked():
    model = heads(loss=[None, "sparse_categorical_crossentropy"])
    with pytest.raises(ValueError, match="label 5 in row 0"):
        model.fit(X, np.full(12, 5), verbose=0)


@pytest.mark.parametrize("y", [[Y, MORE, Y], []], ids=["three", "none"])
def test_another_number_of_targets_is_refused(y):
    model = heads(loss=["mse", "mse"])
    with pytest.raises(ValueError, match=r"2 output\(s\) \(learns, shows\), but `y` holds"):
        model.fit(X, y, verbose=0)


class Pair(keras.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = layers.Dense(1), layers.Dense(1)

    def call(self, x):
        return [self.a(x), self.b(x)]


def squared(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2, -1)


@pytest.mark.parametrize(
    ("loss", "metrics", "names"),
    [
        (["mse", "mae"], None, {"mse_loss", "mae_loss"}),
        (["mean_squared_error", "MSE"], None, {"mean_squared_error_loss", "MSE_loss"}),
        ([keras.losses.MeanSquaredError(), keras.losses.Huber(name="hub")], None, {"mean_squared_error_loss", "hub_loss"}),
        ([squared, lambda a, b: squared(a, b)], None, {"squared_loss", "lambda_loss"}),
        (["mse", "mse"], None, {"mse_loss", "mse_loss_1"}),
        (["mse", "mae"], [["mae"], ["mse"]], {"mse_loss", "mae_loss", "mse", "mae"}),
        (["mse", None], [["mae"], None], {"mae"}),
    ],
)  # fmt: skip
def test_losses_of_outputs_without_names_have_their_own(loss, metrics, names):
    model = Pair()
    model.compile("sgd", loss, metrics=metrics)
    y = np.zeros((12, 1), "float32")
    assert set(model.evaluate(X, [y, y], verbose=0, return_dict=True)) == {"loss", *names}


def test_a_compiled_model_inside_another_keeps_its_metrics_to_itself():
    base = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    base.compile("sgd", "mse", metrics=["mae"])
    base.fit(X, Y, verbose=0)
    before = base.evaluate(X, Y, verbose=0)
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2)(base(x)))
    assert model.metrics == []
    model.compile(keras.optimizers.SGD(0.0), "mse")
    loss = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    assert list(model.fit(X, Y, verbose=0).history) == ["loss"]
    assert_close(model.evaluate(X, Y, verbose=0), loss)
    assert_close(base.evaluate(X, Y, verbose=0), before, "rounded")


def test_a_metric_that_an_inner_model_updates_is_threaded():
    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.count = keras.metrics.Sum(name="count")

        def call(self, x):
            self.count.update_state(keras.ops.ones((x.shape[0],)))
            return x

    inner = Counting()
    model = keras.Sequential([keras.Input((3,)), inner, layers.Dense(2)])
    model.compile("sgd", "mse")
    inner.count.reset_state()
    assert list(model.fit(X, Y, epochs=2, verbose=0).history) == ["loss"]
    assert float(inner.count.result()) == 24.0


class Count(keras.metrics.Metric):
    """Returns its variable as it is."""

    def __init__(self, **kwargs):
        super().__init__(name="count", **kwargs)
        self.rows = self.add_weight(name="rows", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.rows.assign_add(len(y_pred))

    def result(self):
        return self.rows


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_metric_may_return_its_variable(eagerly):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[Count()], run_eagerly=eagerly)
    assert model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history["count"] == [12.0, 12.0]
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["count"] == 12.0
