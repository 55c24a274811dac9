"""The Keras API: models, layers, training.

>>> from hornbeam import keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
>>> model.compile(optimizer="adam", loss="mse")
"""

from hornbeam.core.faces import missing_names
from hornbeam.core.names import name_scope
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.variable import Variable
from hornbeam.keras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from hornbeam.keras.dtype_policies import DTypePolicy, FloatDTypePolicy
from hornbeam.keras.engine.input_layer import Input
from hornbeam.keras.engine.input_spec import InputSpec
from hornbeam.keras.engine.layer import Layer
from hornbeam.keras.initializers import Initializer
from hornbeam.keras.losses import Loss
from hornbeam.keras.metrics import Metric
from hornbeam.keras.models import Model, Sequential
from hornbeam.keras.optimizers import Optimizer
from hornbeam.keras.regularizers import Regularizer

# The release of Keras whose names and behaviour are followed; libraries look at it.
__version__ = "3.15.1"


def version() -> str:
    """The release of Keras whose names and behaviour are followed.

    >>> from hornbeam import keras
    >>> keras.version()
    '3.15.1'
    """
    return __version__


__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "utils",
    "version",
]

__getattr__ = missing_names(__name__)
