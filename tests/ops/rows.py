"""What rows of the tables of other ops are made of: arrays, and calls that `cases.Case` can't write.

The ops here are reached by other names than `keras.ops.<name>`; rows name them as the registry does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tests.ops import cases


@cache
def arrays() -> dict[str, np.ndarray]:
    """Return the arrays that rows name: those of `cases`, and more."""
    draw = np.random.default_rng(8)
    return {
        **cases.arrays(),
        "more_fractions": draw.uniform(0.05, 0.95, (3, 4)).astype("float32"),
        "more_above_one": draw.uniform(1.1, 3, (3, 4)).astype("float32"),
        "three_positive": draw.uniform(0.5, 2, (3,)).astype("float32"),
        "positive_square": draw.uniform(0.5, 2, (4, 4)).astype("float32"),
        "turned": np.linalg.qr(draw.normal(size=(4, 4)))[0].astype("float32") + 0.1,
        "order": np.array([1, 0, 3, 2], "int32"),
        "two_rows": draw.normal(size=(2, 4)).astype("float32"),
        "two_numbers": np.array([2, 0], "int32"),
        "two_places": np.array([[2], [0]], "int32"),
        "starts": np.array([1, 0], "int32"),
        "kept": np.array([[1, 0, 1, 1, 0, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 1, 1]], "bool"),
        "lengths": np.array([7, 4], "int32"),
        "two_squares": draw.normal(size=(2, 4, 4)).astype("float32"),
        "three_gates": draw.normal(size=(4, 12)).astype("float32") / 2,
        "more_three_gates": draw.normal(size=(4, 12)).astype("float32") / 2,
        "four_gates": draw.normal(size=(4, 16)).astype("float32") / 2,
        "more_four_gates": draw.normal(size=(4, 16)).astype("float32") / 2,
        "labels": np.array([[1, 2], [2, 0]], "int32"),
        "label_counts": np.array([2, 1], "int32"),
        "shares": draw.uniform(0.05, 0.95, (2, 9, 4)).astype("float32"),
        "scores": draw.normal(size=(2, 4, 5, 6)).astype("float32"),
        "step": np.array(3.0, "float32"),
        "limit": np.array(-0.5, "float32"),
        "upper_limit": np.array(2.0, "float32"),
    }


class Made(NamedTuple):
    """A call that is written out: `call` takes the op, then the arrays that are named."""

    name: str
    inputs: str
    call: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.name}({self.inputs})"

    def places(self) -> list[str]:
        """Return the names."""
        return re.findall(r"\w+", self.inputs)
