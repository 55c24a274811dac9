"""TensorFlow's functions return what TensorFlow 2.21 returns: values, shapes and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam
from tests.tensors import answers
from tests.tolerances import assert_close

# The type whose tolerance holds for both parts of complex numbers.
_REAL = {"complex64": "float32", "complex128": "float64"}
KNOWN = answers.known()


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return answers.scope(hornbeam)


def compare(actual: Any, expected: Any) -> None:
    if isinstance(expected, dict) and "array" in expected:
        dtype, shape, values = expected["array"]
        assert "array" in actual, f"{actual} is no tensor"
        assert actual["array"][:2] == [dtype, shape]
        kind = _REAL.get(dtype, dtype)
        assert_close(np.asarray(actual["array"][2]), np.asarray(values), kind)
    elif isinstance(expected, list) and any(isinstance(each, (list, dict)) for each in expected):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            compare(one, other)
    else:
        assert actual == expected


def test_the_stored_answers_are_those_of_the_expressions():
    assert list(KNOWN) == answers.expressions()
    assert len(KNOWN) > 100


@pytest.mark.parametrize("expression", KNOWN)
def test_answers(expression: str, names: dict[str, Any]) -> None:
    compare(answers.plain(eval(expression, dict(names))), KNOWN[expression])
