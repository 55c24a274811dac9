"""Slices of a tensor stand for the tensor, wherever a tensor is taken."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.tensors.indexed_slices import of_shape
from tests.tolerances import assert_close

DENSE = np.array([[3.0, 5.0], [0.0, 0.0], [7.0, 9.0]], "float32")


@pytest.fixture
def slices():
    values = tf.constant([[1.0, 2.0], [2.0, 3.0], [7.0, 9.0]])
    return tf.IndexedSlices(values, tf.constant([0, 0, 2]), tf.constant([3, 2]))


def test_ops_take_slices(slices):
    assert_close(tf.convert_to_tensor(slices), DENSE)
    assert_close(slices_sum := tf.reduce_sum(slices, 0), DENSE.sum(0))
    assert_close(tf.add(slices, slices_sum), DENSE + DENSE.sum(0))
    assert_close(tf.convert_to_tensor(-slices), -DENSE)
    assert tf.is_tensor(slices) and not isinstance(slices, tf.Tensor)


def test_what_slices_say(slices):
    assert slices.shape == [3, 2] and slices.dtype == tf.float32
    assert "dense_shape=tf.Tensor([3 2]" in str(slices)
    with pytest.raises(AttributeError, match="eager"):
        slices.name  # noqa: B018


def test_without_a_shape_a_variable_says_it(slices):
    bare = tf.IndexedSlices(slices.values, slices.indices)
    assert bare.shape.rank is None
    with pytest.raises(ValueError, match="without dense_shape"):
        tf.convert_to_tensor(bare)
    assert_close(of_shape(bare, (3, 2)), DENSE)
    assert of_shape(3, (3, 2)) == 3


def test_optimizers_take_slices(slices):
    weight = tf.Variable(np.zeros((3, 2), "float32"))
    bare = tf.IndexedSlices(slices.values, slices.indices)
    tf.keras.optimizers.SGD(1.0).apply_gradients([(bare, weight)])
    assert_close(weight, -DENSE)


def test_an_index_beyond_the_tensor_is_told():
    beyond = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([3]), tf.constant([3, 2]))
    v = tf.Variable(tf.zeros((3, 2)))
    for use in (
        lambda: tf.convert_to_tensor(beyond),
        lambda: tf.keras.optimizers.SGD(1.0).apply_gradients([(beyond, v)]),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"= 3 is not in \[0, 3\)"):
            use()
    assert_close(v, np.zeros((3, 2), "float32"))
