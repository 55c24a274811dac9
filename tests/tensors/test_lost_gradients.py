"""A gradient that is None because NumPy, JAX or Python computed: a warning names the line."""

import inspect
import threading
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf

X, V = tf.constant(2.0), tf.Variable(3.0, name="v")


def told(fn, *sources, **options):
    """The texts of the warnings of a gradient of fn() for `sources`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with tf.GradientTape() as tape:
            tape.watch(X)
            target = fn()
        tape.gradient(target, list(sources), **options)
    return [str(each.message) for each in caught]


LOST = {
    "np.sin": (lambda: tf.constant(np.sin(X)), X, "a NumPy function"),
    "np.asarray, of what is made of it": (lambda: tf.constant(np.asarray(X * 2)), X, "a NumPy"),
    "numpy()": (lambda: tf.constant((X * 2).numpy()), X, "`.numpy()`"),
    "float()": (lambda: tf.constant(float(tf.sin(X))), X, "`float()`"),
    "jnp.sin": (lambda: tf.convert_to_tensor(jnp.sin(X)), X, "a JAX function"),
    "jnp.asarray": (lambda: tf.convert_to_tensor(jnp.asarray(X) + 1), X, "a JAX function"),
    "numpy() of a variable": (lambda: tf.constant(V.numpy()), V, "`.numpy()`"),
    "float() of a variable": (lambda: tf.constant(float(V)), V, "`float()`"),
    "np.sin of a variable": (lambda: tf.constant(np.sin(V)), V, "a NumPy function"),
    "jnp.asarray of a variable": (lambda: tf.convert_to_tensor(jnp.asarray(V)), V, "a JAX"),
}


@pytest.mark.parametrize("name", LOST)
def test_the_line_is_named(name):
    fn, source, by = LOST[name]
    (text,) = told(fn, source)
    line = inspect.getsourcelines(fn)[1]
    assert f"{__file__}:{line} by {by}" in text
    assert "tf.custom_gradient" in text


def test_sources_are_named():
    (text,) = told(lambda: tf.constant(float(X) * float(V)), X, V)
    assert "the tensor of shape ()" in text
    assert "the variable 'v:0'" in text


def test_many_places_are_counted():
    def fn():
        a = float(X)
        b = float(X)
        c = float(X)
        d = float(X)
        return tf.constant(a + b + c + d)

    assert "and at 1 more places" in told(fn, X)[0]


SILENT = {
    "looked at, and computed with": lambda: X * float(X),
    "printed": lambda: (str(X), f"{X:.2f}", repr(X * 2)) and tf.constant(1.0),
    "another source left": lambda: tf.constant(float(V)),
    "no gradient is meant": lambda: tf.stop_gradient(X * 2),
    "taken by Hornbeam": lambda: tf.debugging.assert_positive(X * 2) or tf.constant(1.0),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_warning_without_cause(name):
    assert told(SILENT[name], X) == []


def test_no_warning_where_zeros_are_asked_for():
    assert told(lambda: tf.constant(float(X)), X, unconnected_gradients="zero") == []


def test_what_is_taken_while_nothing_is_recorded():
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = X * 2
        with tape.stop_recording():
            first = float(y)
    second = float(y)
    assert tape.gradient(tf.constant(first + second), X) is None


def test_another_thread_has_tapes_of_its_own():
    with tf.GradientTape() as tape:
        tape.watch(X)
        thread = threading.Thread(target=lambda: float(X))
        thread.start()
        thread.join()
    assert tape.gradient(tf.constant(1.0), X) is None


def test_jacobians_warn_too():
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = tf.constant(float(X))
    with pytest.warns(UserWarning, match=r"`float\(\)`"):
        assert tape.jacobian(y, X) is None


def test_inside_a_program():
    @tf.function
    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.convert_to_tensor(jnp.sin(x))
        return tape.gradient(y, x)

    with pytest.warns(UserWarning, match="a JAX function"):
        assert slope(X) is None
