"""What variables take, beside the tables of what TensorFlow prints and answers."""

import pytest

import hornbeam as tf


@pytest.mark.parametrize(
    ("first", "number", "dtype"),
    [(1, 1.5, "float32"), (True, 1, "int32"), (1.0, 1, "complex64")],
)
def test_a_variable_takes_no_tensor_of_a_kind_that_it_can_not_hold(first, number, dtype):
    v = tf.Variable([first])
    for value in (tf.constant([number], dtype), tf.Variable([number], dtype=dtype)):
        for assign in (v.assign, v[:1].assign, v.assign_add, v.assign_sub):
            with pytest.raises(ValueError, match=rf"requested dtype {v.dtype.name} .* tf\.cast\("):
                assign(value)
    assert v.numpy() == [first]


def test_a_variable_takes_tensors_of_fewer_kinds():
    v = tf.Variable([1.0])
    assert v.assign(tf.constant([2])).numpy() == [2.0]
    assert v.assign_add(tf.constant([0.5], "float64")).numpy() == [2.5] and v.dtype == "float32"
