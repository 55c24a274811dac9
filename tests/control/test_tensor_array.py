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
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="dtype is int32 but received a value of type float32"
    ):
        array.write(0, tf.constant(1.0))
    full = tf.TensorArray(tf.int32, size=1).write(0, 1)
    for wrong in (lambda: full.write(-1, 2), lambda: full.read(-1)):
        with pytest.raises(tf.errors.OutOfRangeError, match="element -1"):
            wrong()
    with pytest.raises(ValueError, match="no known shape"):
        array.stack()
    with pytest.raises(ValueError, match="needs a `dtype`"):
        tf.TensorArray(None)


# In loops and branches that AutoGraph makes a part of the program


@tf.function
def in_a_for(n, x):
    array = tf.TensorArray(tf.float32, size=4)
    for i in tf.range(n):
        array = array.write(i, x * tf.cast(i, tf.float32))
    return array.stack()


@tf.function
def in_a_while(n, x):
    array, i = tf.TensorArray(tf.float32, size=4), tf.constant(0)
    while i < n:
        array = array.write(i, x * tf.cast(i, tf.float32))
        i += 1
    return array.stack()


@tf.function
def with_a_break(n, x):
    array = tf.TensorArray(tf.float32, size=4)
    for i in tf.range(4):
        if i >= n:
            break
        array = array.write(i, x * tf.cast(i, tf.float32))
    return array.stack()


@tf.function
def in_a_branch(n, x):
    array = tf.TensorArray(tf.float32, size=4)
    for i in range(4):
        if i < n:
            array = array.write(i, x * float(i))
    return array.stack()


def growing(n, x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in tf.range(n):
        array = array.write(i, x * tf.cast(i, tf.float32))
    return array.stack()


@pytest.mark.parametrize("fn", [in_a_for, in_a_while, with_a_break, in_a_branch])
@pytest.mark.parametrize("x", [[1.0, 2.0], 3.0], ids=["rows", "numbers"])
def test_loops_and_branches_fill_an_array_of_a_size(fn, x):
    x = tf.constant(x)
    for n in (3, 4):
        expected = [(float(i) * x if i < n else 0 * x).numpy().tolist() for i in range(4)]
        assert fn(tf.constant(n), x).numpy().tolist() == expected
    assert fn.experimental_get_tracing_count() <= 2  # one for each shape


def test_an_array_that_grows_lets_python_run():
    f = tf.function(growing)
    for n in (3, 1):
        assert f(tf.constant(n), 2.0).numpy().tolist() == [0.0, 2.0, 4.0][:n]


def test_gradients_go_through_an_array_filled_in_a_loop_of_known_length():
    v = tf.Variable(2.0)

    @tf.function
    def powers(x):
        array = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            x = x * v
            array = array.write(i, x)
        return tf.reduce_sum(array.stack())

    @tf.function
    def inside(x):
        with tf.GradientTape() as tape:
            y = powers(x)
        return tape.gradient(y, v)

    with tf.GradientTape() as tape:
        y = powers(tf.constant(1.0))
    expected = 1 + 2 * 2 + 3 * 4  # of v + v^2 + v^3
    assert float(tape.gradient(y, v)) == float(inside(tf.constant(1.0))) == expected
