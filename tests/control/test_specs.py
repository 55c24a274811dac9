"""What values are, and where code runs. The answers are TensorFlow's."""

import pickle
import time
import unittest

import numpy as np
import pytest

import hornbeam as tf
from tests.tolerances import assert_close

ROWS = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([0]), tf.constant([3, 2]))
FULL = "IndexedSlicesSpec(TensorShape([3, 2]), tf.float32, tf.int32, tf.int32, TensorShape([1]))"
SPECS = {
    "TensorSpec(shape=(2,), dtype=tf.float32, name=None)": tf.constant([1.0, 2.0]),
    "TensorSpec(shape=(2, 3), dtype=tf.float64, name=None)": np.ones((2, 3)),
    "TensorSpec(shape=(), dtype=tf.int32, name=None)": 1,
    "TensorSpec(shape=(), dtype=tf.string, name=None)": "a",
    "TensorSpec(shape=(1,), dtype=tf.int32, name=None)": tf.TensorShape([1]),
    "NoneTensorSpec()": None,
    FULL: ROWS,
    "IndexedSlicesSpec(TensorShape([None, 2]), tf.float32, tf.int32, None, TensorShape([1]))": tf.IndexedSlices(
        tf.ones([1, 2]), tf.constant([0])
    ),
    "TensorArraySpec(TensorShape(None), tf.float32, False, True)": tf.TensorArray(tf.float32, 3),
    "TensorArraySpec(TensorShape([2]), tf.float32, True, True)": tf.TensorArray(
        tf.float32, size=0, dynamic_size=True, element_shape=[2]
    ),
}


@pytest.mark.parametrize("text", SPECS)
def test_values_tell_what_they_are(text):
    spec = tf.type_spec_from_value(SPECS[text])
    assert repr(spec) == text and spec.is_compatible_with(again := tf.type_spec_from_value(spec))
    assert again is spec
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec and hash(again) == hash(spec)
    assert spec.is_subtype_of(again) and spec.most_specific_compatible_type(again) == spec
    assert not spec.is_compatible_with(object())
    assert spec != tf.TensorSpec([7, 7, 7])


@pytest.mark.parametrize("value", [None, ROWS, tf.TensorArray(tf.float32, 3)])
def test_values_fit_their_specifications(value):
    assert tf.type_spec_from_value(value).is_compatible_with(value)


def test_what_is_no_value_is_refused():
    with pytest.raises(TypeError, match="Could not build a TypeSpec for <object object"):
        tf.type_spec_from_value(object())


def test_specifications_know_which_is_wider():
    wide, narrow = tf.IndexedSlicesSpec([None, 1]), tf.IndexedSlicesSpec([3, 1])
    assert narrow.is_subtype_of(wide) and not wide.is_subtype_of(narrow) and narrow != wide
    assert narrow.most_specific_compatible_type(tf.IndexedSlicesSpec([2, 1])) == wide
    assert not tf.TensorArraySpec(dtype=tf.int32).is_compatible_with(tf.TensorArraySpec())
    assert tf.TensorArraySpec([2]).is_compatible_with(tf.TensorArraySpec())
    with pytest.raises(ValueError, match="No TypeSpec is compatible"):
        narrow.most_specific_compatible_type(tf.NoneTensorSpec())


def test_surroundings():
    seen = []

    @tf.function
    def f(x):
        with tf.name_scope("outer"), tf.name_scope("inner"):
            seen.append((tf.inside_function(), tf.get_current_name_scope()))
        seen.append((tf.get_static_value(x), tf.get_static_value(tf.shape(x)).tolist()))
        return tf.timestamp()

    first = float(f(tf.constant([1, 2])))
    time.sleep(0.01)
    assert float(f(tf.constant([3, 4]))) > first
    assert seen == [(True, "outer/inner"), (None, [2])]
    assert not tf.inside_function() and tf.get_current_name_scope() == ""
    assert tf.get_static_value(tf.constant([1, 2])).tolist() == [1, 2]
    assert tf.get_static_value(tf.Variable(2)) is None and tf.get_static_value("a") == "a"


def test_gradients_by_steps_are_those_of_the_tape():
    def f(x, y):
        return tf.reshape(x, [-1])[:2] * y

    x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant(3.0)
    by_tape, by_steps = tf.test.compute_gradient(f, [x, y])
    assert_close(by_tape[0], np.array([[3.0, 0, 0, 0], [0, 3, 0, 0]], "float32"))
    assert_close(by_tape[1], np.array([[1.0], [2.0]], "float32"))
    assert [np.abs(a - b).max() < 1e-2 for a, b in zip(by_tape, by_steps, strict=True)] == [
        True
    ] * 2
    with pytest.raises(ValueError, match="`x` must be a list"):
        tf.test.compute_gradient(f, x)


def test_tests_are_skipped_where_a_predicate_holds():
    assert tf.test.disable_with_predicate(lambda: False, "no")(lambda: 3)() == 3
    with pytest.raises(unittest.SkipTest, match="why"):
        tf.test.disable_with_predicate(lambda: True, "why")(lambda: 3)()
