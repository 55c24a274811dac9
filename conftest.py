"""Settings of a test run; at the root because the examples in `src` need them as well as `tests`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

# Keras reads this when it is first imported: the peer of tests/parity runs on JAX, in this process.
os.environ["KERAS_BACKEND"] = "jax"
# Programs are compiled afresh, and nothing is written to the user's cache.
os.environ["HORNBEAM_CACHE"] = "0"
# Pictures are drawn to files, on machines with and without a display.
os.environ["MPLBACKEND"] = "Agg"

_SHARED = Path(__file__).resolve().parent.parent / "shared" / "datasets"
if _SHARED.is_dir():
    os.environ.setdefault("HORNBEAM_DATASETS", str(_SHARED))


@pytest.fixture(autouse=True)
def _same_start(request: pytest.FixtureRequest) -> None:
    """Every test starts from the same seed; a docstring example also from fresh layer names."""
    with contextlib.suppress(ImportError):
        from hornbeam import keras

        if isinstance(request.node, pytest.DoctestItem):
            keras.utils.clear_session()
        keras.utils.set_random_seed(0)
