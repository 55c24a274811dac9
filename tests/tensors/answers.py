"""What TensorFlow answers to the expressions in `expressions/`: rewrite `answers.json`, or read it.

Run from the root where TensorFlow is installed: `PYTHONPATH=. .venv-peers/bin/python -m tests.tensors.answers`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.recorded import write

HERE = Path(__file__).parent
ANSWERS = HERE / "answers.json"


def expressions() -> list[str]:
    """Return the lines of all files that are neither empty nor comments."""
    lines = [
        line.strip()
        for file in sorted((HERE / "expressions").glob("*.txt"))
        for line in file.read_text().splitlines()
    ]
    return [line for line in lines if line and not line.startswith("#")]


def scope(tf: Any) -> dict[str, Any]:
    """Return the names that expressions may use."""
    draw = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return draw.uniform(0.2, 0.8, shape).astype("float32")

    square = floats(3, 3)
    return {
        "tf": tf,
        "np": np,
        "K": tf.keras.backend,
        "tnp": tf.experimental.numpy,
        "about": about,
        "A": np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -6.0]], "float32"),
        "B": np.array([[2.0, 0.0, 1.0], [1.0, -1.0, 3.0]], "float32"),
        "I": np.array([[3, 1, 2], [0, 5, 4]], "int32"),
        "U": floats(2, 3),
        "V": floats(4),
        "S": square + 3 * np.eye(3, dtype="float32"),
        "P": square @ square.T + np.eye(3, dtype="float32"),
        "T": floats(2, 3, 4),
        "C": (floats(3, 3) + 1j * floats(3, 3)).astype("complex64"),
        "D": np.array([1.5, 2.5]),
        "L": np.array([1, 2]),
        "E": np.array([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan, 0.5], "float32"),
        "BIG": 2**40,
        "tensor": tf.constant,
        "image": floats(2, 4, 4, 3),
        "volume": floats(1, 3, 3, 3, 2),
        "kernel": floats(3, 3, 3, 2),
    }


def about(value: Any) -> list[Any]:
    """Return the shape and the type of a random tensor."""
    return [list(value.shape), value.dtype.name]


def plain(value: Any) -> Any:
    """Return a result as JSON: arrays as [type, shape, values], structures as dicts and lists."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind == "c":
            values = np.stack([array.real, array.imag], -1).ravel().astype("float64").tolist()
        else:
            values = (
                array.astype("float64").ravel().tolist()
                if array.dtype.kind in "fV"
                else array.ravel().tolist()
            )
        return {"array": [array.dtype.name, list(array.shape), values]}
    if isinstance(value, dict):
        return {"dict": {key: plain(each) for key, each in value.items()}}
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return [plain(each) for each in value]
    if hasattr(value, "as_list"):
        return [plain(each) for each in value.as_list()]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def known() -> dict[str, Any]:
    """Return the stored answers."""
    return json.loads(ANSWERS.read_text())


if __name__ == "__main__":
    import tensorflow

    names = scope(tensorflow)
    found, refused = {}, []
    for each in expressions():
        try:
            found[each] = plain(eval(each, names))
        except Exception as error:
            refused.append(f"{each}: {type(error).__name__}: {error}")
    if refused:
        raise SystemExit("\n".join(refused))
    write(ANSWERS, found)
