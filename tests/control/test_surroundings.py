"""What a traced function finds around it: values that are known before it runs, and settings that it was traced under."""

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras

tnp = tf.experimental.numpy


# Values that are known


STATIC = {
    "a list": (lambda x, y, v: tf.constant([1, 2]), [1, 2]),
    "a number": (lambda x, y, v: tf.constant(0.5), 0.5),
    "one for a shape": (lambda x, y, v: tf.constant(3, shape=[1, 2]), [[3, 3]]),
    "another shape": (lambda x, y, v: tf.constant([1, 2], shape=[2, 1]), [[1], [2]]),
    "a type": (lambda x, y, v: tf.constant([1, 2], tf.float64), [1.0, 2.0]),
    "convert_to_tensor": (lambda x, y, v: tf.convert_to_tensor(np.array([1.5])), [1.5]),
    "a range": (lambda x, y, v: tf.range(1, 3), [1, 2]),
    "zeros": (lambda x, y, v: tf.zeros([2], tf.int32), [0, 0]),
    "ones": (lambda x, y, v: tf.ones(x.shape, tf.int32), [1, 1]),
    "fill": (lambda x, y, v: tf.fill([2], 7), [7, 7]),
    "a shape": (lambda x, y, v: tf.shape(x), [2]),
    "a size": (lambda x, y, v: tf.size(x), 2),
    "a rank": (lambda x, y, v: tf.rank(x), 1),
    "a text": (lambda x, y, v: tf.constant("a"), b"a"),
    "from outside": (lambda x, y, v: y, [4]),
    "an argument": (lambda x, y, v: x, None),
    "computed": (lambda x, y, v: tf.constant(1) + x[0], None),
    "a variable": (lambda x, y, v: v, None),
    "a read variable": (lambda x, y, v: v.read_value(), None),
}


@pytest.mark.parametrize("name", STATIC)
def test_static_values_of_tensors_in_a_function(name):
    """TensorFlow knows these, and some that were computed of constants, which here have none."""
    fn, expected = STATIC[name]
    found, outside, variable = [], tf.constant([4]), tf.Variable(1)

    @tf.function
    def program(x):
        tensor = fn(x, outside, variable)
        found.append((tf.get_static_value(tensor), tensor.dtype))
        return x

    program(tf.constant([1, 2]))
    ((value, dtype),) = found
    assert (None if value is None else value.tolist()) == expected
    assert value is None or dtype == "string" or value.dtype == dtype.name


# Settings


def counting(fn):
    program = tf.function(fn)
    return program, program.experimental_get_tracing_count


def test_the_precision_of_products_counts():
    f, traces = counting(lambda x: x @ x)
    x = tf.ones([2, 2])
    f(x)
    with jax.default_matmul_precision("highest"):
        f(x)
    f(x)
    assert traces() == 2


def test_the_64_bits_of_jax_count():
    f, traces = counting(lambda x: x + tf.reduce_sum(tf.constant([1, 2])))
    x = tf.constant(1.0)
    f(x)
    with jax.enable_x64(True):
        f(x)
    f(x)
    assert traces() == 2


def test_the_types_of_experimental_numpy_count():
    f, traces = counting(lambda x: tnp.ones([2]) * 2.0)
    try:
        types = [f(1).dtype.name]
        tnp.experimental_enable_numpy_behavior(prefer_float32=True)
        types.append(f(1).dtype.name)
    finally:
        tnp.experimental_enable_numpy_behavior(prefer_float32=False)
    assert [*types, f(1).dtype.name] == ["float64", "float32", "float64"] and traces() == 2


def test_the_mode_of_training_of_the_call_around_counts():
    """TensorFlow goes on with the mode of the first call."""

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop = keras.layers.Dropout(0.5, seed=1)

        @tf.function
        def encode(self, x):
            return self.drop(x)

        def call(self, x):
            return self.encode(x)

    model, x = Model(), tf.ones([1, 64])
    seen = [set(model(x, training=mode).numpy().ravel()) for mode in (True, False, True)]
    assert seen == [{0, 2}, {1}, {0, 2}] and model.encode.experimental_get_tracing_count() == 2


@pytest.mark.parametrize("setting", ["epsilon", "floatx", "image_data_format"])
def test_the_defaults_of_keras_count(setting):
    get, put = getattr(keras.config, setting), getattr(keras.config, f"set_{setting}")
    other = {"epsilon": 0.25, "floatx": "float64", "image_data_format": "channels_first"}[setting]
    before, seen = get(), []
    f, traces = counting(lambda: seen.append(get()))
    f()
    put(other)
    try:
        f()
    finally:
        put(before)
    f()
    assert seen == [before, other] and traces() == 2
