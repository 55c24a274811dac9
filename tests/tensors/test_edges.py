"""Values at the edges, where TensorFlow and NumPy differ: tensors without elements, NaN beside 0."""

import numpy as np
import pytest

import hornbeam as tf

ENDS = {
    "float32": (-np.inf, np.inf),
    "bfloat16": (-np.inf, np.inf),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (0, 255),
}


@pytest.mark.parametrize("dtype", ENDS)
def test_extremes_of_nothing_are_the_ends_of_the_type(dtype):
    nothing = tf.zeros([2, 0], dtype)
    least, greatest = ENDS[dtype]
    assert float(tf.reduce_max(nothing)) == least
    assert tf.reduce_min(nothing, axis=-1, keepdims=True).numpy().tolist() == [[greatest]] * 2
    assert tf.reduce_max(nothing, axis=0).shape == (0,)


def test_a_product_with_a_logarithm_is_zero_where_its_factor_is():
    x = tf.constant([0.0, 0.0, 0.0])
    y = tf.constant([np.nan, 0.0, np.inf])
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = tf.math.xlogy(x, y)
    assert z.numpy().tolist() == tape.gradient(z, x).numpy().tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("running", [tf.cumsum, tf.math.cumprod, tf.math.cumulative_logsumexp])
def test_running_values_of_nothing_are_nothing(running):
    assert running(tf.zeros([0, 3]), exclusive=True, reverse=True).shape == (0, 3)


def test_each_nan_is_a_value_of_its_own():
    x = tf.constant([1.5, np.nan, np.nan, 1.5])
    assert tf.unique(x).idx.numpy().tolist() == [0, 1, 2, 0]
    assert tf.unique_with_counts(x).count.numpy().tolist() == [2, 1, 1]


def test_a_product_with_log1p_is_zero_where_its_factor_is():
    y = tf.constant([np.nan, -5.0, np.inf, -1.0])
    assert tf.math.xlog1py(tf.zeros(4), y).numpy().tolist() == [0.0] * 4


def test_segments_without_rows():
    x, ids = tf.constant([[1.0, -2.0], [3.0, 4.0]]), [0, 2]
    for name, empty in (("max", 0.0), ("min", 0.0), ("sum", 0.0), ("mean", 0.0), ("prod", 1.0)):
        found = getattr(tf.math, f"segment_{name}")(x, ids).numpy()
        assert found.tolist() == [[1.0, -2.0], [empty] * 2, [3.0, 4.0]], name


@pytest.mark.parametrize("name", ["max", "mean", "min", "prod", "sum"])
def test_ids_of_segments_that_fall_are_an_error(name):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"unsorted_segment_{name}"):
        getattr(tf.math, f"segment_{name}")([1.0, 2.0, 3.0], [1, 0, 2])
