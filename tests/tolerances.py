"""How close two results must be: one table for every test, chosen by dtype and never by the test.

A sum of n products computed in another order differs by about eps * sqrt(n) relative to the size of the terms. For float32
(eps 1.2e-7) and the sums of tests, some hundreds of terms deep through a few layers, that is 1e-6 to 1e-5: `rtol`. Where terms
cancel, the relative error of the result is unbounded and only its absolute error is meaningful: `atol`, for values of order one.
bfloat16 keeps 8 bits (eps 7.8e-3) and float16 keeps 11 (eps 9.8e-4); both are given two to three units in the last place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Tolerance(NamedTuple):
    """|actual - expected| <= atol + rtol * |expected|, as in NumPy."""

    rtol: float
    atol: float


TOLERANCES = {
    "float64": Tolerance(rtol=1e-10, atol=1e-12),
    "float32": Tolerance(rtol=2e-5, atol=2e-6),
    "float16": Tolerance(rtol=3e-3, atol=3e-3),
    "bfloat16": Tolerance(rtol=2e-2, atol=2e-2),
    # Numbers that only the last bits of float32 tell apart: an operation is rounded differently, none is left out.
    "rounded": Tolerance(rtol=1e-6, atol=1e-12),
    # Sums of 10^8 terms in float32, nearly all of them 0.
    "long sums": Tolerance(rtol=1e-3, atol=0.0),
    # Losses of a whole training run: rounding is amplified from step to step.
    "training": Tolerance(rtol=1e-4, atol=1e-6),
    # What a network computes after twenty steps by two libraries, whose weights differ as said for "training".
    "trained": Tolerance(rtol=1e-3, atol=1e-4),
}


def assert_close(actual: Any, expected: Any, dtype: str = "float32", err_msg: str = "") -> None:
    """Fail unless both have the same structure and shapes and their values are close.

    `dtype` names the type that the computation ran in (a row of the table). Tensors, Variables, arrays and numbers
    are accepted, alone or in dicts, lists and tuples. Integers, booleans and strings must be equal.
    """
    if isinstance(expected, dict):
        assert isinstance(actual, dict) and actual.keys() == expected.keys(), (
            f"{err_msg}: keys {list(actual)} != {list(expected)}"
        )
        for key in expected:
            assert_close(actual[key], expected[key], dtype, f"{err_msg}[{key!r}]")
    elif isinstance(expected, (list, tuple)) and not _is_numbers(expected):
        assert len(actual) == len(expected), f"{err_msg}: {len(actual)} items != {len(expected)}"
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            assert_close(a, e, dtype, f"{err_msg}[{i}]")
    else:
        _assert_arrays_close(_as_array(actual), _as_array(expected), str(dtype), err_msg)


def _assert_arrays_close(
    actual: np.ndarray, expected: np.ndarray, dtype: str, err_msg: str
) -> None:
    assert actual.shape == expected.shape, f"{err_msg} shape {actual.shape} != {expected.shape}"
    if not {actual.dtype.kind, expected.dtype.kind} & {"f", "c"}:
        np.testing.assert_array_equal(actual, expected, err_msg=err_msg)
        return
    rtol, atol = TOLERANCES[dtype]
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=err_msg)


def _as_array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    # ml_dtypes' floats (bfloat16 and kin) have kind "V": widen them so that NumPy can compare.
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _is_numbers(values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether a list is one array written out, e.g. [[1, 2], [3, 4]], not a structure of arrays."""
    return all(
        _is_numbers(each) if isinstance(each, (list, tuple)) else np.isscalar(each)
        for each in values
    )
