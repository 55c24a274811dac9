"""Write down the result type of each expression in types.tsv as TensorFlow has it; run with the peers' Python.

    CUDA_VISIBLE_DEVICES=-1 TF_CPP_MIN_LOG_LEVEL=3 .venv-peers/bin/python -m tests.tensors.record_types

A new expression is a line of its own in types.tsv, without a type.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

TABLE = Path(__file__).parent / "types.tsv"


def names(tf: Any) -> dict[str, Any]:
    """Return what expressions may name, with `tf` for TensorFlow or Hornbeam."""
    f64, i64 = np.array([1.5, 2.5]), np.array([1, 2])
    arrays = {"f64": f64, "i64": i64, "f32": f64.astype("float32"), "i32": i64.astype("int32")}
    return {"tf": tf, "np": np, **arrays}


def type_of(expression: str, values: dict[str, Any]) -> str:
    """Return the name of the type of what an expression computes, or "!" where it is refused."""
    try:
        found = eval(expression, values)
        return str(getattr(found.dtype, "name", found.dtype)) if hasattr(found, "dtype") else ""
    except (TypeError, ValueError, AssertionError, NotImplementedError, AttributeError):
        return "!"
    except Exception as error:
        if "InvalidArgument" in type(error).__name__:
            return "!"
        raise


def rows() -> list[tuple[str, str]]:
    """Return expressions and their types."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [(expression, kind) for expression, _, kind in (line.partition("\t") for line in lines)]


if __name__ == "__main__":
    import tensorflow

    values = names(tensorflow)
    lines = [f"{expression}\t{type_of(expression, values)}\n" for expression, _ in rows()]
    TABLE.write_text("".join(lines), encoding="utf-8")
