"""Slopes at kinks are those of TensorFlow 2.21, which are recorded."""

import json

import numpy as np
import pytest

import hornbeam as tf
from tests.tensors.gradients.kinks import ROWS, slopes
from tests.tensors.gradients.record import KINKS
from tests.tolerances import assert_close

RECORDED = json.loads(KINKS.read_text())

# The true slopes, or one of them, where TensorFlow has a formula that misses them.
OTHERWISE = {
    "cumprod with a zero": "zeros, by a division that TensorFlow avoids",
    "keras logaddexp": "half of it for each of two equal numbers",
    "keras hypot": "half of it for each of two equal numbers",
    "keras celu": "one, not two, at 0",
    "keras ReLU": "the slope below the threshold, not 0, at the threshold",
    "pow": "nan for the exponent of a negative number, whose logarithm is none",
    "sqrt, where it is positive": "nan for 0 times infinity",
}
SAMPLE = [
    "abs",
    "maximum",
    "minimum, one number",
    "clip_by_value",
    "clip_by_norm of zeros",
    "leaky_relu",
    "segment_prod with zeros",
    "nextafter",
    "xlogy",
    "L1",
]


def numbers(gradients):
    """All elements; NaN for no gradient."""
    rows = (["nan"] if each is None else each for each in gradients)
    return [float(number) for row in rows for number in row]


def check(name):
    assert_close(numbers(slopes(tf, name)), numbers(RECORDED[name]), err_msg=name)


def test_every_row_is_recorded():
    assert list(ROWS) == list(RECORDED)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(ROWS) - set(OTHERWISE)))
def test_slopes_are_those_of_tensorflow(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_differs_still_does(name):
    """Where it no longer does, the row leaves the list."""
    with pytest.raises(AssertionError):
        check(name)


def test_second_derivatives_of_products_of_segments():
    x = tf.constant([2.0, 3.0, 5.0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.math.segment_prod(x, [0, 0, 0])
        slope = inner.gradient(y, x)
    assert_close(outer.jacobian(slope, x), np.array([[0, 5, 3], [5, 0, 2], [3, 2, 0]], "float32"))


def test_slopes_inside_of_programs():
    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.abs(x) + tf.maximum(x, 0.0) + tf.clip_by_value(x, 0.0, 1.0)
        return tape.gradient(y, x)

    assert_close(slope(tf.constant([-1.0, 0.0, 1.0])), [-1.0, 2.0, 3.0])
