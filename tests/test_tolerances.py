"""The comparison that every other test stands on."""

from __future__ import annotations

import ast
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from tests.tolerances import TOLERANCES, assert_close


def test_equal_values_pass_and_far_ones_fail():
    assert_close(np.float32([1, 2]), np.float32([1, 2 + 1e-6]))
    with pytest.raises(AssertionError):
        assert_close(np.float32([1, 2]), np.float32([1, 2.001]))


def test_shapes_are_never_broadcast():
    with pytest.raises(AssertionError, match="shape"):
        assert_close(np.ones((1, 3)), np.ones(3))


def test_structures_are_compared_leaf_by_leaf():
    tree = {"a": [np.ones(2), (np.zeros(3), 1.0)], "b": [[1.0, 2.0], [3.0, 4.0]]}
    assert_close(tree, tree)
    with pytest.raises(AssertionError, match="keys"):
        assert_close({"a": 1.0}, {"b": 1.0})
    with pytest.raises(AssertionError, match="items"):
        assert_close([np.ones(2)], [np.ones(2), np.ones(2)])


def test_integers_are_exact():
    with pytest.raises(AssertionError):
        assert_close(np.int32([1000000]), np.int32([1000001]))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_each_type_allows_two_units_in_the_last_place_and_no_tenth(dtype):
    eps = float(ml_dtypes.finfo(dtype).eps)
    one = np.ones(3, ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    assert_close(one * (1 + 2 * eps), one, dtype)
    assert TOLERANCES[dtype].rtol < 0.1
    with pytest.raises(AssertionError):
        assert_close(one + one.dtype.type(0.1), one, dtype)


# Calls with a bound of their own, and why.
BOUNDS = {
    "keras/layers/test_recurrent.py:approx": "the mean of 64 draws, some four standard errors",
}
OWN_BOUNDS = {"approx", "atol", "rtol", "decimal", "allclose", "isclose"}


def own_bounds(source: str) -> set[str]:
    """Return the names by which a test's code says how close two numbers must be."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    said = {keyword.arg for call in calls for keyword in call.keywords}
    modules = ("np", "numpy", "math", "pytest", "jnp")
    called = {
        call.func.attr
        for call in calls
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in modules
    }
    return OWN_BOUNDS & (said | called)


def test_bounds_of_a_test_are_found():
    assert own_bounds("np.testing.assert_allclose(a, b, rtol=1)") == {"rtol"}
    assert own_bounds("assert a == pytest.approx(b)") == {"approx"}
    assert not own_bounds("assert_close(a, b, 'bfloat16'); ops.isclose(a, b)")


def test_tolerances_are_those_of_the_table():
    tests = Path(__file__).parent
    found = {
        f"{path.relative_to(tests).as_posix()}:{name}"
        for path in tests.rglob("*.py")
        if path.name != "tolerances.py"
        for name in own_bounds(path.read_text())
    }
    assert found == set(BOUNDS), "Use `assert_close`; a new bound is a row of tolerances.py."
