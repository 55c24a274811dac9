"""Keras 3 on PyTorch."""

import keras
import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> KerasSession:
    """The case in Keras on its PyTorch backend."""
    assert keras.backend.backend() == "torch"
    return KerasSession(keras, case, x, y)
