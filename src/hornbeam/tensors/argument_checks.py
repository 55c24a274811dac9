"""Arguments that TensorFlow refuses and NumPy would take: told before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.dtypes import as_dtype
from hornbeam.core.error_types import invalid


def size_of(dim: Any) -> int:
    """Return an entry of a shape as an integer. Raises InvalidArgumentError for a fraction or a negative number."""
    is_float = isinstance(dim, float) or np.dtype(getattr(dim, "dtype", int)).kind == "f"
    size = int(dim)
    if is_float or size < 0:
        raise invalid(f"A shape is made of integers that are not negative; received {dim!r} in it.")
    return size


def check_integers(name: str, argument: str, value: Any) -> None:
    """Raise InvalidArgumentError where `value`, a tensor or a list, holds numbers that are not whole."""
    if hasattr(value, "dtype"):
        dtype = as_dtype(value.dtype)
        is_wrong = dtype.is_floating or dtype.is_complex
    else:
        found = np.asarray(value)
        is_wrong = found.dtype.kind in "fc" and found.size > 0
        dtype = found.dtype
    if is_wrong:
        raise invalid(
            f"`{name}`: `{argument}` are integers; received {dtype.name}. Cast them: tf.cast({argument}, tf.int32)."
        )


def check_length(name: str, argument: str, value: Sequence[Any], x: Any) -> None:
    """Raise InvalidArgumentError where an argument has not one entry for each axis of `x`."""
    axes = len(x.shape) if hasattr(x, "shape") else np.ndim(x)
    if len(value) != axes:
        raise invalid(
            f"`{name}`: `{argument}` has an entry for each axis of the input; received {len(value)} for {axes} axes."
        )
