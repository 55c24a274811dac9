"""PyTorch through torch.compile, asked for by name: it wants a C++ compiler and long warm-up."""

import numpy as np

from benchmarks.cases.base import Case
from benchmarks.frameworks.pytorch import PyTorchSession


def open_session(case: Case, x: np.ndarray, y: np.ndarray) -> PyTorchSession:
    """The case in PyTorch, its model compiled."""
    return PyTorchSession(case, x, y, compiled=True)
