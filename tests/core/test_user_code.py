"""Warnings point at the user's line, however deep in the library they arise."""

import inspect
import warnings

import pytest

import hornbeam as tf
from hornbeam import keras


def watch_integers():
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(1))


def gradient_of_integers():
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(x, tf.int32)
    tape.gradient(y, x)


def gradient_inside_of_a_persistent_tape():
    x = tf.constant(1.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        tape.gradient(x * x, x)


def no_gradient():
    v, w = tf.Variable(1.0), tf.Variable(1.0)
    keras.optimizers.SGD().apply_gradients([(tf.constant(1.0), v), (None, w)])


def many_traces():
    function = tf.function(lambda x: x)
    for number in range(8):
        function(number)


def logits_from_probabilities():
    probabilities = keras.ops.softmax(tf.constant([[1.0, 2.0]]))
    keras.losses.CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], probabilities)


def logits_from_probabilities_by_function():
    probabilities = keras.ops.softmax(tf.constant([[1.0, 2.0]]))
    keras.losses.categorical_crossentropy([[0.0, 1.0]], probabilities, from_logits=True)


def one_class():
    keras.losses.CategoricalCrossentropy()([[1.0]], tf.constant([[1.0]]))


@pytest.mark.parametrize(
    "warns",
    [
        watch_integers,
        gradient_of_integers,
        gradient_inside_of_a_persistent_tape,
        no_gradient,
        many_traces,
        logits_from_probabilities,
        logits_from_probabilities_by_function,
        one_class,
    ],
)
def test_a_warning_is_of_the_users_line(warns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warns()
    lines, first = inspect.getsourcelines(warns)
    places = [(each.filename, each.lineno in range(first, first + len(lines))) for each in caught]
    assert places == [(__file__, True)]
