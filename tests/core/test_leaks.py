"""Tensors that outlive the program that made them: each use says so, names the function, and loses nothing."""

import pytest

import hornbeam as tf
from hornbeam import keras

KEPT = []


@tf.function
def keeps(x):
    KEPT.append(x * 2)
    return x


MADE_BY = (
    rf"compiled function 'keeps' \({__file__}:{keeps.python_function.__code__.co_firstlineno}\)"
)


@pytest.fixture(scope="module")
def kept():
    keeps(tf.constant([[1.0]]))
    return KEPT[0]


@pytest.fixture(scope="module")
def v():
    return tf.Variable([[1.0]])


USES = {
    "an op": lambda kept, v: kept + 1,
    "a slice": lambda kept, v: kept[0],
    "numpy": lambda kept, v: kept.numpy(),
    "float": lambda kept, v: float(kept),
    "bool": lambda kept, v: bool(kept),
    "an assignment": lambda kept, v: v.assign(kept),
    "an added value": lambda kept, v: v.assign_add(kept),
    "a new variable": lambda kept, v: tf.Variable(kept),
    "another function": lambda kept, v: tf.function(lambda x: x + 1)(kept),
    "a gradient's weight": lambda kept, v: gradient(v, kept),
    "an update": lambda kept, v: keras.optimizers.SGD().apply_gradients([(kept, v)]),
    "predict": lambda kept, v: keras.Sequential([keras.layers.Flatten()]).predict(kept, verbose=0),
    "tf.print": lambda kept, v: tf.print(kept),
    "a function of Python": lambda kept, v: tf.numpy_function(lambda x: x, [kept], tf.float32),
    "a loop": lambda kept, v: tf.while_loop(lambda i: i < 3, lambda i: [i + 1], [kept]),
    "a check": lambda kept, v: tf.debugging.assert_equal(kept, kept),
}


def gradient(v, weight):
    with tf.GradientTape() as tape:
        y = v * 2
    return tape.gradient(y, v, output_gradients=weight)


@pytest.mark.parametrize("use", USES)
def test_each_use_says_where_the_tensor_was_made(use, kept, v):
    with pytest.raises(TypeError, match=MADE_BY):
        USES[use](kept, v)
    assert float(v[0, 0]) == 1.0
    assert float(keeps(v)[0, 0]) == 1.0


def test_it_can_still_be_printed(kept):
    assert (
        repr(kept) == str(kept) == f"{kept}" == "<tf.Tensor: shape=(1, 1), dtype=float32, traced>"
    )


def test_a_gradient_after_the_function_of_its_tape():
    tapes = []

    @tf.function
    def function(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        tapes.append((tape, x, y))
        return y

    function(tf.constant(3.0))
    ((tape, x, y),) = tapes
    with pytest.raises(TypeError, match="compiled function 'function'"):
        tape.gradient(y, x)


def test_a_closure_over_it(kept):
    @tf.function
    def user():
        return kept + 1

    with pytest.raises(TypeError, match=r"user uses a tensor of shape \(1, 1\).*loop 'keeps' \("):
        user()
