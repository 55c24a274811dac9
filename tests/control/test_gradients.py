"""`tf.gradients` and `tf.hessians`; `tests/tensors/gradients` compares them with TensorFlow's."""

import numpy as np
import pytest

import hornbeam as tf


def test_only_a_function_that_asks_is_traced_twice():
    seen = []

    @tf.function
    def slope(x):
        seen.append("slope")
        return tf.gradients(x * x, x)

    @tf.function
    def plain(x):
        seen.append("plain")
        return x * x

    x = tf.constant(3.0)
    for _ in range(2):
        assert float(slope(x)[0]) == 6.0
        assert float(plain(x)) == 9.0
    assert seen == ["slope", "slope", "plain"]


def test_one_program_in_another():
    inner = tf.function(lambda y, x: tf.gradients(y, x)[0])
    outer = tf.function(lambda x: inner(x**3, x))
    assert float(outer(tf.constant(2.0))) == 12.0


def test_what_user_code_catches_is_no_signal():
    @tf.function
    def careful(x):
        try:
            return tf.gradients(x * x, x)[0]
        except Exception:
            return x

    assert float(careful(tf.constant(3.0))) == 6.0


@pytest.mark.parametrize("name", ["gradients", "hessians"])
def test_outside_of_functions(name):
    x = tf.constant(1.0)
    with pytest.raises(
        RuntimeError, match=rf"tf\.{name} is not supported when eager .* Use tf\.Gr"
    ):
        getattr(tf, name)(x, x)


def test_other_programs_name_the_tape():
    class Asking(tf.keras.Model):
        def train_step(self, data):
            return {"loss": tf.gradients(data[0], data[0])}

    model = Asking()
    model.compile("sgd")
    with pytest.raises(RuntimeError, match=r"Use tf\.GradientTape instead"):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0)


def test_a_failed_function_leaves_nothing():
    @tf.function
    def failing(x):
        tf.gradients(x * x, x)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        failing(tf.constant(1.0))
    test_outside_of_functions("gradients")
