"""Write what TensorFlow returns: `tensorflow.json` for `scripts.py`, `kinks.json` for `kinks.py`, `faces.json` for the functions of `tf`.

PYTHONPATH=.:src python -m tests.tensors.gradients.record    # in an environment with TensorFlow and JAX, from the root of the repository
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

if importlib.util.find_spec("pytest") is None:  # the tables of a test are read where TensorFlow is
    sys.modules["pytest"] = mock.MagicMock()

from tests.contract import test_door_of_faces as faces
from tests.recorded import write
from tests.tensors.gradients import kinks
from tests.tensors.gradients.scripts import SCRIPTS

FILE = Path(__file__).with_name("tensorflow.json")
FACES = Path(__file__).with_name("faces.json")
KINKS = Path(__file__).with_name("kinks.json")


def weights(shape: Any) -> np.ndarray:
    """Other numbers for each element, so that sums of products with them tell results apart."""
    count = int(np.prod(shape))
    return np.cos(np.arange(1, count + 1)).reshape(tuple(shape)).astype("float32")


def recorded(library: Any, name: str) -> tuple[Any, list[Any], list[Any]]:
    """Return a tape, its floating inputs of a function, and the floating results."""
    faces.tf = library
    words, fn = faces.ROWS[name]
    tensors = [library.constant(faces.INPUTS[word]) for word in words.split()]
    sources = [x for x in tensors if x.dtype.is_floating]
    with library.GradientTape() as tape:
        tape.watch(sources)
        outputs = fn(*tensors)
    found = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return tape, sources, [x for x in found if hasattr(x, "dtype") and x.dtype.is_floating]


def slopes(library: Any, name: str) -> list[float | None]:
    """Return one number for the gradient of each floating input of a function; None for no gradient."""
    tape, sources, targets = recorded(library, name)
    rows = [library.constant(weights(x.shape), x.dtype) for x in targets]
    gradients = tape.gradient(targets, sources, output_gradients=rows)
    return [None if g is None else _number(library, g) for g in gradients]


def _number(library: Any, gradient: Any) -> float:
    dense = np.asarray(library.convert_to_tensor(gradient), "float64")
    return float(np.sum(dense * weights(dense.shape)))


if __name__ == "__main__":
    import tensorflow

    warnings.simplefilter("ignore")
    results: dict[str, Any] = {}
    for script, run in SCRIPTS.items():
        try:
            results[script] = run(tensorflow)
        except Exception as error:
            print(f"{script}: {type(error).__name__} {str(error)[:150]}", file=sys.stderr)
    write(FILE, results)
    found: dict[str, Any] = {}
    for each in sorted(faces.ROWS):
        try:
            found[each] = slopes(tensorflow, each)
        except Exception as error:
            print(f"{each}: {type(error).__name__} {str(error)[:150]}", file=sys.stderr)
    write(FACES, found)
    write(KINKS, {each: kinks.slopes(tensorflow, each) for each in kinks.ROWS})
