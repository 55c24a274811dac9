"""The type of what each function returns, for every type of its arguments, is TensorFlow's: `result_types/table.tsv` keeps it.

What TensorFlow refuses is left alone here: NumPy and Keras take the square root of whole numbers, and so do we.
"""

from __future__ import annotations

import jax
import pytest

import hornbeam as tf
from hornbeam.core.tensor import unwrap
from tests.tensors.result_types.record import DTYPES, answer, names, rows

# Ours on purpose, with the reason.
DIFFERENT = {
    "x + np.ones((2, 2))": "NumPy's fractions beside whole numbers are not cut, nor floats beside those of 16 bits",
    "x * np.float64(2)": "NumPy's fractions beside whole numbers are not cut, nor floats beside those of 16 bits",
    "x * np.int64(2)": "NumPy's whole numbers beside smaller ones do not wrap round",
}
# What has to know values, and is called outside of programs.
KNOWING = (
    "boolean_mask",
    "confusion_matrix",
    "math.bincount",
    "dynamic_partition",
    "linspace",
    "range",
    "sequence_mask",
    "strings",
    "unique",
    "where(x)",
    "Variable",
    "is_non_decreasing",
)
ROWS = rows()


def found(dtype: str) -> dict[str, str]:
    """Return our answer to each expression that TensorFlow takes for a type."""
    values = names(tf, dtype)
    place = DTYPES.index(dtype)
    wanted = [each for each, kinds in ROWS.items() if kinds[place] != "!"]
    known = [each for each in wanted if any(part in each for part in KNOWING)]
    answers = {each: answer(each, values, dtype) for each in known}

    def trace(**arrays: jax.Array) -> None:
        traced = {**values, **{name: tf.constant(each) for name, each in arrays.items()}}
        answers.update({each: answer(each, traced, dtype) for each in wanted if each not in known})

    jax.eval_shape(trace, **{each: unwrap(values[each]) for each in "xyv"})
    return answers


QUICK = ("bool", "int8", "int32", "bfloat16", "float64", "complex64")
each_type = pytest.mark.parametrize(
    "dtype",
    [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in DTYPES],
)


@each_type
def test_types_of_results(dtype: str) -> None:
    place = DTYPES.index(dtype)
    answers = found(dtype)
    assert len(answers) > 40
    differ = {
        each: (kind, ROWS[each][place])
        for each, kind in answers.items()
        if kind != ROWS[each][place] and each not in DIFFERENT
    }
    assert differ == {}


def test_each_difference_is_one() -> None:
    assert all(
        any(
            kind not in ("!", answer(each, names(tf, dtype), dtype))
            for dtype, kind in zip(DTYPES, ROWS[each], strict=True)
        )
        for each in DIFFERENT
    )
