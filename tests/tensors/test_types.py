"""Result types are TensorFlow's under `tf` and Keras's under `keras.ops`: types.tsv keeps what TensorFlow answered."""

from __future__ import annotations

import pytest

import hornbeam as tf
from tests.tensors.record_types import names, rows, type_of

PROMOTED = "TensorFlow refuses different types, where we promote"
# Where our type is another one on purpose ("!" is an error), with the reason.
DIFFERENT = {
    "tf.reduce_sum([True,False])": ("int32", "NumPy and Keras count booleans"),
    "tf.constant(True)/tf.constant(True)": ("float32", "NumPy and Keras divide booleans"),
    "tf.constant(i32)*2.5": ("float32", PROMOTED),
    "tf.constant(f64)*tf.constant(f32)": ("float64", PROMOTED),
    "tf.constant(i32)+tf.constant(i64)": ("int64", PROMOTED),
    "tf.add(1, 2.0)": ("float32", PROMOTED),
    "tf.exp(1)": ("float32", "NumPy and Keras take functions of whole numbers"),
    "tf.add(f64, tf.constant(f32))": ("float32", PROMOTED),
    "tf.keras.losses.mean_squared_error(f64, f64)": (
        "float64",
        "Keras has the name, and TensorFlow's face has not",
    ),
    "tf.keras.ops.add(tf.constant(f32), f64)": (
        "float32",
        "the operators of tensors, and Keras on JAX, do so",
    ),
}
# Names that do not exist yet; a row counts as soon as its name does.
MISSING = (
    "tf.image.",
    "tf.signal.",
    "tf.data.",
    "tf.keras.layers.Normalization",
)
VALUES = names(tf)


def exists(expression: str) -> bool:
    """Return whether the name that `expression` begins with exists."""
    found: object = tf
    for part in expression.partition("(")[0].split(".")[1:]:
        found = getattr(found, part, None)
    return found is not None


ROWS = [row for row in rows() if not row[0].startswith(MISSING) or exists(row[0])]


@pytest.mark.parametrize(("expression", "kind"), ROWS, ids=[row[0] for row in ROWS])
def test_types_are_those_of_tensorflow(expression: str, kind: str) -> None:
    expected, _ = DIFFERENT.get(expression, (kind, ""))
    assert type_of(expression, VALUES) == expected


def test_each_difference_is_one() -> None:
    recorded = dict(rows())
    assert [each for each, (ours, _) in DIFFERENT.items() if recorded[each] == ours] == []
