"""Hornbeam."""

import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.keras_api import KerasSession
from hornbeam import keras


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> KerasSession:
    """The case in Hornbeam, under the case's dtype policy."""
    keras.mixed_precision.set_global_policy(case.policy)
    return KerasSession(keras, case, x, y)
