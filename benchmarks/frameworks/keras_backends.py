"""Keras 3 on the backend that KERAS_BACKEND names."""

import importlib
import os

import keras
import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession
from benchmarks.frameworks.tensorflow_api import TensorFlowSession


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> KerasSession:
    """The case in Keras."""
    assert keras.backend.backend() == os.environ["KERAS_BACKEND"]
    if keras.backend.backend() != "tensorflow":
        return KerasSession(keras, case, x, y)
    return TensorFlowSession(importlib.import_module("tensorflow"), keras, case, x, y)
