"""`tf.print`."""

from __future__ import annotations

import sys
from typing import Any


def print(*inputs: Any, **kwargs: Any) -> None:
    """Print values to the error stream, as TensorFlow does; `output_stream` and `end` as there."""
    stream = kwargs.get("output_stream") or sys.stderr
    stream.write(
        kwargs.get("sep", " ").join(str(_plain(each)) for each in inputs) + kwargs.get("end", "\n")
    )


def _plain(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value
