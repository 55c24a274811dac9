"""Every name that Keras looks up for losses, metrics, activations and their like stands for the same thing here."""

import importlib

import pytest

from hornbeam import keras

MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)
# Keras looks these up by accident: bases, and what can't be made without arguments.
_BASES = """Constraint Initializer Loss LossFunctionWrapper LossScaleOptimizer MeanMetricWrapper Metric Optimizer
    Regularizer IoU MeanIoU OneHotIoU OneHotMeanIoU PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity
    SpecificityAtSensitivity MultiOptimizer OptimizerMap"""


def _served(module):
    """Return what Keras has under each name, but for the names above."""
    found = importlib.import_module(f"keras.src.{module}").ALL_OBJECTS_DICT
    return {name: value for name, value in found.items() if value.__name__ not in _BASES.split()}


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_keras_stands_for_the_same(module):
    expected = {name: value.__name__ for name, value in _served(module).items()}
    found = {
        name: getattr(value, "__name__", type(value).__name__)
        for name, value in ((name, getattr(keras, module).get(name)) for name in expected)
    }
    assert found == expected


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("KLD", "kl_divergence"),
        ("kld", "kl_divergence"),
        ("kullback_leibler_divergence", "kl_divergence"),
        ("logcosh", "log_cosh"),
        ("log_cosh", "log_cosh"),
        ("huber_loss", "huber"),
        ("MSE", "mean_squared_error"),
    ],
)
def test_names_of_older_versions_are_served(name, function):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=name)
    assert keras.losses.get(name).__name__ == function


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("KLD", "KLDivergence"),
        ("kullback_leibler_divergence", "KLDivergence"),
        ("logcosh", "LogCoshError"),
        ("MAPE", "MeanAbsolutePercentageError"),
    ],
)
def test_metrics_of_older_versions_are_served(name, kind):
    assert type(keras.metrics.get(name)).__name__ == kind
