"""`tf.TensorArray`, eagerly and in programs."""

import numpy as np
import pytest

import hornbeam as tf


def both(fn, *arguments):
    """The results of Python and of the program, which must agree."""
    results = [[np.asarray(x).tolist() for x in run(*arguments)] for run in (fn, tf.function(fn))]
    assert results[0] == results[1]
    return results[0]


def test_a_loop_of_python():
    def fn(x):
        array = tf.TensorArray(tf.float32, size=3)
        for i in range(3):
            array = array.write(i, x * i)
        return array.stack(), array.read(2), array.gather([2, 0]), array.size()

    assert both(fn, tf.constant(2.0)) == [[0, 2, 4], 4, [4, 0], 3]


def test_a_loop_of_a_program():
    def fn(x):
        array = tf.TensorArray(tf.float32, size=4)
        body = lambda i, a: (i + 1, a.write(i, x * tf.cast(i, tf.float32)))  # noqa: E731
        _, array = tf.while_loop(lambda i, a: i < 4, body, (tf.constant(0), array))
        return array.stack(), array.read(tf.constant(1)), array.concat()

    assert both(fn, tf.constant([1.0, 2.0])) == [
        [[0, 0], [1, 2], [2, 4], [3, 6]],
        [1, 2],
        [0, 0, 1, 2, 2, 4, 3, 6],
    ]


def test_an_element_shape_and_elements_that_are_not_written():
    def fn(n):
        array = tf.TensorArray(tf.int32, size=4, element_shape=[])
        _, array = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a.write(i, i * i)), (0, array))  # fmt: skip
        return (array.stack(),)

    assert both(fn, tf.constant(3)) == [[0, 1, 4, 0]]


def test_a_carry_of_scan_reads_and_writes():
    def fn(x):
        memory = tf.TensorArray(tf.int32, size=3).unstack(x)

        def step(i, a):
            return i + 1, a.write(i, a.read(i) * 10)

        _, memory = tf.while_loop(lambda i, a: i < 3, step, (0, memory))
        return (memory.stack(),)

    assert both(fn, tf.constant([1, 2, 3])) == [[10, 20, 30]]


def test_split_scatter_and_parts_of_different_sizes():
    def fn(x):
        parts = tf.TensorArray(tf.int32, size=2).split(x, [1, 2])
        placed = tf.TensorArray(tf.int32, size=3).scatter([2, 0, 1], x)
        return parts.read(0), parts.read(1), parts.concat(), placed.stack()

    assert both(fn, tf.constant([1, 2, 3])) == [[1], [2, 3], [1, 2, 3], [2, 3, 1]]


def test_a_gradient_flows_through():
    v = tf.Variable(3.0)

    def fn(n):
        with tf.GradientTape() as tape:
            array = tf.TensorArray(tf.float32, size=3)
            for i in range(3):
                array = array.write(i, v**i)
            loss = tf.reduce_sum(array.stack() * 2.0)
        return (tape.gradient(loss, v),)

    assert both(fn, tf.constant(0)) == [14]


def test_it_grows_and_changes_in_place_outside_of_programs():
    array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    for i in range(3):
        array.write(i, i)
    assert array.stack().numpy().tolist() == [0, 1, 2] and int(array.size()) == 3
    assert array.dtype == tf.int32 and array.dynamic_size and array.element_shape == ()


def test_wrong_use():
    array = tf.TensorArray(tf.int32, size=2)
    for wrong in (lambda: array.write(2, 1), lambda: array.read(-1), lambda: array.read(0)):
        with pytest.raises(tf.errors.OutOfRangeError):
            wrong()
    with pytest.raises(ValueError, match="dtype is int32 but received a value of type float32"):
        array.write(0, tf.constant(1.0))
    with pytest.raises(ValueError, match="no known shape"):
        array.stack()
    with pytest.raises(ValueError, match="needs a `dtype`"):
        tf.TensorArray(None)
