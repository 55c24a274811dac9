"""Warnings point at the user's line, however deep in the library they arise."""

import inspect
import tempfile
import warnings
from pathlib import Path

import numpy as np
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


def compiled():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


ONE = np.ones((2, 1), "float32")


def data_that_end():
    compiled().fit(iter([(ONE, ONE)]), steps_per_epoch=2, verbose=0)


def trainable_after_compile():
    model = compiled()
    model.layers[0].trainable = False
    model.fit(ONE, ONE, verbose=0)


def a_missing_monitor():
    stop = keras.callbacks.EarlyStopping(monitor="nothing")
    compiled().fit(ONE, ONE, verbose=0, callbacks=[stop])


def an_unknown_mode():
    keras.callbacks.ModelCheckpoint("x.keras", mode="up")


def a_model_without_weights():
    with tempfile.TemporaryDirectory() as folder:
        keras.Sequential([keras.layers.Dense(1)]).save(f"{folder}/x.keras")


def state_of_another_optimizer():
    keras.optimizers.Adam().load_own_variables({"0": 1})


@pytest.mark.parametrize(
    "warns",
    [
        data_that_end,
        trainable_after_compile,
        a_missing_monitor,
        an_unknown_mode,
        a_model_without_weights,
        state_of_another_optimizer,
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


def test_nothing_counts_calls_to_find_the_line():
    """A fixed `stacklevel` names a line of the library as soon as one more function stands between."""
    root = Path(tf.__file__).parent
    found = [
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if "warnings.warn(" in file.read_text(encoding="utf-8")
    ]
    assert found == ["core/user_code.py"]
