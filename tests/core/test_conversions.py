"""Objects of users' classes as tensors."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import conversions


class Value:
    """What a function is registered for, or not."""

    def __init__(self, value):
        self.value = value


class Own:
    """What says itself what tensor it is."""

    def __init__(self, value):
        self.value = value

    def __tf_tensor__(self, dtype=None, name=None):
        return tf.convert_to_tensor(self.value, dtype)


class Array:
    """What NumPy can read."""

    def __init__(self, value):
        self.value = np.array(value)

    def __array__(self, dtype=None, copy=None):
        return self.value


def convert(value, dtype=None, name=None, as_ref=False):
    return NotImplemented if dtype == tf.int32 else tf.constant(value.value, dtype)


@pytest.fixture
def registered(monkeypatch):
    """What is registered is forgotten after the test."""
    monkeypatch.setattr(conversions, "_registered", [])
    tf.register_tensor_conversion_function(Value, convert)


@pytest.mark.parametrize("kind", [Value, Own, Array])
def test_taken_wherever_tensors_are(kind, registered):
    x = kind(np.float32([1.0, 2.0]))
    for made in (
        tf.convert_to_tensor(x),
        tf.add(x, 0.0),
        x + tf.zeros(2) if kind is Array else tf.zeros(2) + x,
        tf.Variable(x).value(),
        tf.reshape(x, [2]),
        tf.stack([x, [3.0, 4.0]])[0],
        tf.function(lambda: tf.add(x, 0.0))(),
        keras.ops.add(x, 0.0),
    ):
        assert made.dtype == tf.float32 and made.numpy().tolist() == [1.0, 2.0]
    assert tf.reduce_sum(x).numpy() == 3.0
    assert tf.concat([x, x], 0).shape == (4,)
    assert tf.convert_to_tensor(x, tf.float64).dtype == tf.float64
    assert not tf.is_tensor(x)


@pytest.mark.parametrize("kind", [Value, Own])
def test_a_tape_goes_on_behind_them(kind, registered):
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.square(Own(3.0 * x) if kind is Own else tf.convert_to_tensor(Own(3.0 * x)))
    assert tape.gradient(y, x).numpy() == 36.0


def test_the_lower_priority_is_asked_first(registered):
    class Special(Value):
        pass

    def tenfold(value, dtype=None, name=None, as_ref=False):
        return tf.constant(10 * value.value, dtype)

    assert tf.convert_to_tensor(Special(3.0)).numpy() == 3.0
    tf.register_tensor_conversion_function((Special, Array), tenfold, priority=50)
    assert tf.convert_to_tensor(Special(3.0)).numpy() == 30.0
    assert tf.convert_to_tensor(Value(3.0)).numpy() == 3.0


def test_a_function_may_leave_a_value_to_others(registered):
    with pytest.raises(ValueError, match="unsupported type"):
        tf.convert_to_tensor(Value(1), tf.int32)
    tf.register_tensor_conversion_function(Value, lambda v, dtype=None, name=None, as_ref=False: tf.constant(5))  # fmt: skip
    assert tf.convert_to_tensor(Value(1), tf.int32).numpy() == 5


@pytest.mark.parametrize(
    ("found", "text"),
    [(5, "returned non-Tensor: 5"), (tf.zeros, "non-Tensor"), (None, "non-Tensor")],
)
def test_what_a_function_returns_is_checked(found, text, monkeypatch):
    monkeypatch.setattr(conversions, "_registered", [])
    tf.register_tensor_conversion_function(Value, lambda *args, **kwargs: found)
    with pytest.raises(RuntimeError, match=text):
        tf.convert_to_tensor(Value(1))


def test_another_type_than_asked_for_is_an_error(monkeypatch):
    monkeypatch.setattr(conversions, "_registered", [])
    tf.register_tensor_conversion_function(Value, lambda *args, **kwargs: tf.constant(1.0))
    with pytest.raises(RuntimeError, match="requested = int8, actual = float32"):
        tf.convert_to_tensor(Value(1), tf.int8)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((3, convert), "must be a type or a tuple of types. Obtained: 3"),
        (((Value, 3), convert), "must be a type or a tuple of types"),
        ((Value, 3), "must be callable. Received 3"),
        ((int, convert), "Python numeric types and NumPy"),
        ((np.ndarray, convert), "Python numeric types and NumPy"),
    ],
)
def test_what_is_refused(arguments, text):
    with pytest.raises(TypeError, match=text):
        tf.register_tensor_conversion_function(*arguments)


def test_anything_else_fails_as_before():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`tf\.add`: expected"):
        tf.add(Value(1.0), 1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="unsupported type"):
        tf.convert_to_tensor(Value(1.0))


def test_errors_behind_the_conversion_are_told_in_the_words_of_the_call(registered):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[Op:Add\]"):
        tf.add(Value(np.ones(2)), np.ones(3))
