"""What tests share: real data where this machine has it, a user with few rights."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Iterator
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


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of a user who is not root, and that user's rights."""
    before = os.geteuid()
    user = 65534 if before == 0 else before
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, user, -1)
        codecs.lookup(
            "ascii"
        )  # the user can't import it, and Python would remember that it is not there
        os.seteuid(user)
        try:
            yield Path(folder)
        finally:
            os.seteuid(before)
            os.chmod(folder, 0o700)
