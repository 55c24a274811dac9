"""TensorFlow's functions return what TensorFlow 2.21 returns: values, shapes and types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hornbeam
from tests.tensors import answers
from tests.tolerances import assert_close

# 64 bits are served in 32.
NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
KNOWN = answers.known()


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    return answers.scope(hornbeam)


def compare(actual: Any, expected: Any) -> None:
    if isinstance(expected, dict) and "array" in expected:
        dtype, shape, values = expected["array"]
        dtype = NARROW.get(dtype, dtype)
        assert "array" in actual, f"{actual} is no tensor"
        found = actual["array"]
        assert [NARROW.get(found[0], found[0]), found[1]] == [dtype, shape]
        kind = "float32" if dtype == "complex64" else dtype
        assert_close(np.asarray(actual["array"][2]), np.asarray(values), kind)
    elif isinstance(expected, list) and any(isinstance(each, (list, dict)) for each in expected):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            compare(one, other)
    else:
        assert NARROW.get(str(actual), actual) == NARROW.get(str(expected), expected)


def test_the_stored_answers_are_those_of_the_expressions():
    assert list(KNOWN) == answers.expressions()
    assert len(KNOWN) > 100


@pytest.mark.parametrize("expression", KNOWN)
def test_answers(expression: str, names: dict[str, Any]) -> None:
    compare(answers.plain(eval(expression, dict(names))), KNOWN[expression])
