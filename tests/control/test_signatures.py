"""Which arguments fit an `input_signature`, and which share a trace."""

import numpy as np
import pytest

import hornbeam as tf

ARRAYS = [np.ones(2, "int32"), np.ones(2), np.ones(2, "float32"), np.array([True]), np.float64(1), np.int64(1)]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "int32", "float64", "bool"])
def test_arrays_of_numpy_take_the_type_of_the_signature(dtype):
    """As in TensorFlow; tensors do not."""
    f = tf.function(lambda x: x, input_signature=[tf.TensorSpec(None, dtype)])
    for array in ARRAYS:
        result = f(array)
        assert result.dtype == dtype
        assert result.numpy().tolist() == array.astype(dtype).tolist()
    with pytest.raises(TypeError, match="Can not cast"):
        f(tf.ones([2], tf.int64))


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [("int32", 1.5), ("int32", [1.0]), ("bool", 1), ("bool", [0.5]), ("int64", 2.5),],
)  # fmt: skip
def test_numbers_that_a_type_cannot_hold_are_refused(dtype, wrong):
    f = tf.function(lambda x: x, input_signature=[tf.TensorSpec(None, dtype)])
    with pytest.raises(TypeError):
        f(wrong)


def test_numbers_that_it_can_hold_are_taken():
    for dtype, number in (("float32", 1), ("float32", True), ("int32", 2), ("bool", False), ("int64", 2**40)):  # fmt: skip
        f = tf.function(lambda x: x, input_signature=[tf.TensorSpec([], dtype)])
        assert f(number).dtype == dtype and f(number).numpy() == number


def test_equal_shapes_share_a_trace():
    f = tf.function(lambda x, shape: tf.reshape(x, shape))
    x = tf.ones([4])
    for shape in ([2, 2], [2, 2], [4, 1], [2, 2]):
        assert f(x, tf.TensorShape(shape)).shape == shape
    assert f(x, x.shape).shape == f(x, x.shape).shape == [4]
    assert f.experimental_get_tracing_count() == 3
