"""Hornbeam."""

import numpy as np

import hornbeam as tf
from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession
from benchmarks.frameworks.tensorflow_api import TensorFlowSession
from hornbeam import keras


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> KerasSession:
    """The case in Hornbeam, under the case's dtype policy."""
    keras.mixed_precision.set_global_policy(case.policy)
    if not hasattr(tf, "GradientTape"):  # an earlier Hornbeam
        return KerasSession(keras, case, x, y)
    return TensorFlowSession(tf, keras, case, x, y)
