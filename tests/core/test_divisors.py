"""Whole numbers divided by 0 are errors wherever they are known; fractions are divided as TensorFlow divides them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core.tensor import unwrap

WHOLE = [*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
DIVISIONS = {
    "//": (lambda x, y: x // y, "FloorDiv"),
    "%": (lambda x, y: x % y, "FloorMod"),
    "tf.math.floordiv": (tf.math.floordiv, "FloorDiv"),
    "tf.math.floormod": (tf.math.floormod, "FloorMod"),
    "tf.math.mod": (tf.math.mod, "FloorMod"),
    "tf.truncatediv": (tf.truncatediv, "TruncateDiv"),
    "tf.truncatemod": (tf.truncatemod, "TruncateMod"),
    "ops.floor_divide": (keras.ops.floor_divide, "FloorDiv"),
    "ops.mod": (lambda x, y: keras.ops.mod(x2=y, x1=x), "FloorMod"),
    "tnp.floor_divide": (tf.experimental.numpy.floor_divide, "FloorDiv"),
}
every_division = pytest.mark.parametrize("name", DIVISIONS)


@every_division
def test_a_whole_divisor_of_zero_is_an_error(name: str) -> None:
    divide, title = DIVISIONS[name]
    x = tf.constant([7, 1])
    for y in (0, [2, 0], np.array([2, 0]), tf.constant([2, 0]), tf.Variable([2, 0]), np.int32(0)):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"by zero.*\[Op:{title}\]"):
            divide(x, y)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the divisor is 0"):
        divide(7, tf.constant(0))


@every_division
def test_a_function_tells_of_it_after_it_has_run(name: str) -> None:
    divide, title = DIVISIONS[name]
    run = tf.function(divide)
    x, y = tf.constant([7, -7]), tf.constant([2, 2])
    assert run(x, y).numpy().tolist() == divide(x, y).numpy().tolist()
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"0 at \[1\].*\[Op:{title}\]"):
        run(x, tf.constant([2, 0]))
    assert run(x, y).numpy().tolist() == divide(x, y).numpy().tolist()


@pytest.mark.parametrize("dtype", WHOLE)
def test_every_type_of_whole_numbers(dtype: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="division by zero"):
        tf.cast([7, 1], dtype) // tf.cast([1, 0], dtype)


def test_fractions_may_be_divided_by_zero() -> None:
    for x, y in ((7.0, 0.0), (tf.constant(7.0), 0), (tf.constant(7.0), tf.constant(0)), (7, 0.0)):
        assert np.isinf(tf.math.floordiv(x, y))


def test_a_divisor_that_is_written_down_costs_nothing_in_a_program() -> None:
    program = tf.function(lambda x: x // 3 + x % 4).get_concrete_function(tf.constant([7]))
    assert program(tf.constant([7])).numpy().tolist() == [5]
    assert not jax.make_jaxpr(lambda x: unwrap(tf.constant(5) // x))(jnp.ones(2, int)).effects


def test_it_is_told_within_loops_and_vectorized_maps_where_it_happens() -> None:
    @tf.function
    def run(divisors):
        total = tf.constant(0)
        for each in divisors:
            if each > 0:
                total += 12 // each
        return total + tf.reduce_sum(tf.vectorized_map(lambda y: 12 // y, divisors * divisors + 1))

    assert int(run(tf.constant([3, 0, 4]))) == 7 + 1 + 12
    with pytest.raises(tf.errors.InvalidArgumentError, match="division by zero"):
        tf.function(lambda y: tf.vectorized_map(lambda y: 12 // y, y))(tf.constant([3, 0]))


SPECIAL = [np.inf, -np.inf, np.nan, -0.0, 0.0, 5.0, -7.5]


@pytest.mark.parametrize("x", SPECIAL)
def test_fractions_are_divided_and_then_cut(x: float) -> None:
    """The quotient of floats is that of TensorFlow: inf // 5 is inf, and -0. keeps its sign."""
    y = np.array(SPECIAL, "float32")
    with np.errstate(all="ignore"):
        expected = np.floor(np.float32(x) / y)
    for found in (tf.constant(x) // y, tf.math.floordiv(np.full(7, x, "float32"), y)):
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
    assert float(tf.constant(1.0) // 0.1) == 10.0
