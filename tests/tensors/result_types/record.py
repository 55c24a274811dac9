"""Write down the result types of the expressions in table.tsv for every type of `x` and `y`, as TensorFlow has them.

    CUDA_VISIBLE_DEVICES=-1 TF_CPP_MIN_LOG_LEVEL=3 .venv-peers/bin/python -m tests.tensors.result_types.record

A new expression is a line of its own, without types. `!` stands where a type is refused, `=` for the type itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

TABLE = Path(__file__).with_name("table.tsv")
DTYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


def names(tf: Any, dtype: str) -> dict[str, Any]:
    """Return what expressions may name, for TensorFlow or Hornbeam: two matrices and a vector of a type."""
    x, y, v = [[1, 2], [3, 1]], [[2, 1], [1, 3]], [1, 2]
    tensors = {name: tf.cast(tf.constant(of), dtype) for name, of in (("x", x), ("y", y), ("v", v))}
    return {"tf": tf, "np": np, **tensors}


def types_of(found: Any) -> str:
    """Return the name of the type of a result, several joined by commas."""
    if hasattr(found, "dtype"):
        return str(getattr(found.dtype, "name", found.dtype))
    return ",".join(map(types_of, found))


def answer(expression: str, values: dict[str, Any], dtype: str) -> str:
    """Return the types of what an expression computes, "!" where it is refused."""
    try:
        found = eval(expression, values)
        if found is NotImplemented:
            return "!"
        return ",".join("=" if each == dtype else each for each in types_of(found).split(","))
    except Exception:
        return "!"


def rows() -> dict[str, list[str]]:
    """Return the expressions with their answers for each of DTYPES."""
    lines = (line.partition("\t") for line in TABLE.read_text().splitlines())
    return {expression: kinds.split() for expression, _, kinds in lines}


def main() -> None:
    """Ask TensorFlow."""
    import tensorflow as tf

    values = {dtype: names(tf, dtype) for dtype in DTYPES}
    lines = [
        f"{expression}\t{' '.join(answer(expression, values[dtype], dtype) for dtype in DTYPES)}\n"
        for expression in rows()
    ]
    TABLE.write_text("".join(lines))


if __name__ == "__main__":
    main()
