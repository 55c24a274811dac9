"""Dicts of results have the order of Keras's, and lists of results too."""

import keras as peer
import numpy as np
import pytest

from hornbeam import keras
from tests.tolerances import assert_close

X = np.arange(16, dtype="float32").reshape(8, 2) / 16
Y = X.sum(1, keepdims=True)


def one_output(k):
    x = k.Input((2,))
    model = k.Model(x, k.layers.Dense(1, kernel_initializer="ones")(x))
    rms = k.metrics.RootMeanSquaredError(name="a_rms")
    model.compile("sgd", "mse", metrics=["mse", rms, "mae"], weighted_metrics=["mape"])
    return model, Y


def a_list(k):
    x = k.Input((2,))
    zed = k.layers.Dense(1, name="zed", kernel_initializer="ones")(x)
    model = k.Model(x, [zed, k.layers.Dense(1, name="abe", kernel_initializer="zeros")(x)])
    model.compile("sgd", ["mae", "mse"], metrics=[["mape"], ["mae", "hinge"]])
    return model, [Y + 1, Y * 3]


def a_dict(k):
    x = k.Input((2,))
    outputs = {
        name: k.layers.Dense(1, name=name, kernel_initializer="ones")(x)
        for name in ("zed", "abe", "mid")
    }
    model = k.Model(x, outputs)
    model.compile("sgd", {"mid": "mse", "zed": "mae", "abe": "hinge"}, metrics={"abe": ["mae"]})
    return model, {"zed": Y + 1, "abe": Y * 3, "mid": Y - 2}


@pytest.mark.parametrize("make", [one_output, a_list, a_dict])
def test_results_have_the_order_of_keras(make):
    def results(k):
        model, y = make(k)
        named = model.evaluate(X, y, verbose=0, return_dict=True)
        listed = model.evaluate(X, y, verbose=0)
        on_batch = model.test_on_batch(X, y, return_dict=True)
        return model.metrics_names, list(named), list(on_batch), listed

    *names, values = results(keras)
    *expected_names, expected = results(peer)
    assert names == expected_names
    assert_close(values, expected, "training")


class Own(keras.Model):
    """A model whose steps name what they return themselves; what Keras makes of it was asked on its TensorFlow backend."""

    def test_step(self, data):
        x, y = data
        loss = keras.ops.mean((self(x) - y) ** 2)
        return {"zz": loss, "loss": loss * 2, "aa": loss * 3}

    train_step = test_step


def _own():
    x = keras.Input((2,))
    model = Own(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("name", ["evaluate", "test_on_batch", "train_on_batch"])
def test_own_steps_have_the_order_of_keras(name):
    model = _own()
    method, silent = getattr(model, name), {"verbose": 0} if name == "evaluate" else {}
    named = method(X, Y + 1, return_dict=True, **silent)
    assert list(named) == ["aa", "loss", "zz"]
    assert method(X, Y + 1, **silent) == [named["loss"], named["aa"], named["zz"]]
    assert model.metrics_names == ["loss"]


def test_nested_logs_stand_where_their_name_belongs():
    class Nesting(keras.Model):
        def test_step(self, data):
            x, y = data
            self.compute_loss(x=x, y=y, y_pred=self(x))
            for metric in self.metrics:
                metric.update_state(*((1.0,) if metric.name == "loss" else (y, self(x))))
            return {metric.name: metric.result() for metric in self.metrics}

    x = keras.Input((2,))
    model = Nesting(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse", metrics=["mse", "mae"])
    assert list(model.test_on_batch(X, Y, return_dict=True)) == ["mae", "mse", "loss"]
