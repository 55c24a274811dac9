"""Keras 3 on JAX."""

import keras
import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> KerasSession:
    """The case in Keras on its JAX backend."""
    assert keras.backend.backend() == "jax"
    return KerasSession(keras, case, x, y)
