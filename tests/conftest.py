"""What tests share: real data where this machine has it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.register_assert_rewrite("tests.kernels.conv_cases")


def _real(name: str) -> Path:
    """The path of a real data set, or a skip that says what is missing."""
    folder = os.environ.get("HORNBEAM_DATASETS")
    if not folder:
        pytest.skip(f"needs {name}; HORNBEAM_DATASETS is not set and ../shared/datasets is absent")
    path = Path(folder) / name
    if not path.is_file():
        pytest.skip(f"needs {name}, which is not in HORNBEAM_DATASETS={folder}")
    return path


@pytest.fixture(scope="session")
def mnist_file() -> Path:
    """The file of real MNIST."""
    return _real("mnist.npz")


@pytest.fixture(scope="session")
def mnist(mnist_file: Path) -> Any:
    """Real MNIST as `load_data` gives it: (x_train, y_train), (x_test, y_test)."""
    with np.load(mnist_file) as arrays:
        return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


@pytest.fixture(scope="session")
def imdb_file() -> Path:
    """The file of the Large Movie Review Dataset as word ranks."""
    return _real("imdb_ids.npz")


@pytest.fixture(scope="session")
def cifar10_file() -> Path:
    """The file of CIFAR-10 as JPEGs."""
    return _real("cifar10_jpeg.npz")
