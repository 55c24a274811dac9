"""Assertions about tensors where values are not known beforehand, and the switches of `tf.debugging`."""

import re

import jax
import numpy as np
import pytest

import hornbeam as tf


def test_values_in_a_program_are_tested_when_it_runs():
    def doubled(x):
        tf.debugging.assert_positive(x, message="of a program")
        return (x * 2)._value

    program = jax.jit(doubled)
    assert float(program(tf.constant(1.0))) == 2.0
    with pytest.raises(jax.errors.JaxRuntimeError, match="of a program"):
        program(tf.constant(-1.0)).block_until_ready()
        jax.effects_barrier()


CHECKS = {
    "condition x > 0 did not hold": lambda x: tf.debugging.assert_positive(x, message="mine"),
    "condition x == y did not hold": lambda x: tf.debugging.assert_equal(x, 1.0),
    "Expected 'tf.Tensor(False, shape=(), dtype=bool)' to be true": lambda x: tf.debugging.Assert(
        x > 0, ["data", x]
    ),
    "m : Tensor had NaN values": lambda x: tf.debugging.check_numerics(tf.math.log(x), "m"),
}


@pytest.mark.parametrize("text", CHECKS)
def test_a_function_raises_what_an_eager_call_does(text):
    @tf.function
    def checked(x):
        CHECKS[text](x)
        return x * 2

    assert float(checked(tf.constant(1.0))) == 2.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?i){re.escape(text)}"):
        checked(tf.constant(-1.0))
    assert float(checked(tf.constant(1.0))) == 2.0


def test_shapes_in_a_program_are_tested_while_it_is_compiled():
    def checked(x):
        tf.debugging.assert_shapes([(x, (3,))])
        return x._value

    with pytest.raises(ValueError, match="must have size 3"):
        jax.jit(checked)(tf.ones(2))


def test_bfloat16_has_infinite_numbers_too():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Inf"):
        tf.debugging.check_numerics(tf.constant([np.inf], tf.bfloat16), "m")


def test_checking_all_numbers():
    for _ in range(5):  # a program that ran before is checked, too
        assert np.isnan(tf.math.log(tf.constant(-1.0)).numpy())
    tf.debugging.enable_check_numerics()
    try:
        with pytest.raises(tf.errors.InvalidArgumentError, match="nan"):
            tf.math.log(tf.constant(-1.0)).numpy()
    finally:
        tf.debugging.disable_check_numerics()
    assert np.isnan(tf.math.log(tf.constant(-1.0)).numpy())


def test_traceback_filtering():
    tf.debugging.disable_traceback_filtering()
    assert not tf.debugging.is_traceback_filtering_enabled()
    tf.debugging.enable_traceback_filtering()
    assert tf.debugging.is_traceback_filtering_enabled()


def test_placement_is_not_logged():
    with pytest.warns(UserWarning, match="not logged"):
        tf.debugging.set_log_device_placement(True)
    assert not tf.debugging.get_log_device_placement()


class Case(tf.test.TestCase):
    def runTest(self):
        """So that the class can be made."""


GOOD = [
    lambda t: t.assertAllClose({"a": [1.0, tf.ones(2)]}, {"a": [1.0, np.ones(2)]}),
    lambda t: t.assertAllClose([1.0, 2.0], tf.constant([1.0, 2.0 + 1e-6])),
    lambda t: t.assertAllClose(tf.constant(1.0, tf.bfloat16), 1.005),
    lambda t: t.assertAllEqual(tf.constant([1, 2]), [1, 2]),
    lambda t: t.assertAllEqual([np.nan], [np.nan]),
    lambda t: t.assertNotAllClose([1.0], [1.1]),
    lambda t: t.assertNotAllEqual([1], [2]),
    lambda t: t.assertAllCloseAccordingToType(tf.constant(1.0, tf.float16), np.float16(1.001)),
    lambda t: t.assertAllInRange(tf.ones(2), 0.0, 1.0),
    lambda t: t.assertAllInSet(tf.constant([1, 2]), {1, 2}),
    lambda t: (t.assertAllGreater([2.0], 1.0), t.assertAllLess([2.0], 3.0)),
    lambda t: (t.assertAllGreaterEqual([2.0], 2.0), t.assertAllLessEqual([2.0], 2.0)),
    lambda t: t.assertShapeEqual(tf.ones((2, 3)), np.ones((2, 3))),
    lambda t: t.assertDTypeEqual(tf.ones(1), np.float32),
    lambda t: (t.assertNear(1.0, 1.1, 0.2), t.assertArrayNear([1.0], [1.1], 0.2)),
    lambda t: t.assertNDArrayNear([1.0], [1.1], 0.2),
    lambda t: (t.assertEmpty([]), t.assertNotEmpty([1]), t.assertLen([1], 1)),
    lambda t: (
        t.assertStartsWith("ab", "a"),
        t.assertEndsWith("ab", "b"),
        t.assertBetween(1, 0, 2),
    ),
]
BAD = [
    lambda t: t.assertAllClose({"a": [1.0, tf.ones(2)]}, {"a": [1.0, np.zeros(2)]}),
    lambda t: t.assertAllClose({"a": 1.0}, {"b": 1.0}),
    lambda t: t.assertAllClose([1.0, 2.0], [1.0]),
    lambda t: t.assertAllClose(tf.ones(1), tf.ones((1, 1))),
    lambda t: t.assertAllEqual(tf.constant([1, 2]), [1, 3]),
    lambda t: t.assertNotAllClose([1.0], [1.0]),
    lambda t: t.assertNotAllEqual([1], [1]),
    lambda t: t.assertAllCloseAccordingToType(tf.constant(1.0), np.float32(1.001)),
    lambda t: t.assertAllInRange(tf.ones(2), 0.0, 1.0, open_upper_bound=True),
    lambda t: t.assertAllInSet(tf.constant([1, 3]), {1, 2}),
    lambda t: t.assertAllGreater([1.0], 1.0),
    lambda t: t.assertAllLess([1.0], 1.0),
    lambda t: t.assertAllGreaterEqual([1.0], 2.0),
    lambda t: t.assertAllLessEqual([3.0], 2.0),
    lambda t: t.assertShapeEqual(tf.ones((2, 3)), np.ones((2, 2))),
    lambda t: t.assertDTypeEqual(tf.ones(1), np.int32),
    lambda t: t.assertNear(1.0, 1.3, 0.2),
    lambda t: t.assertArrayNear([1.0], [1.3], 0.2),
    lambda t: t.assertNDArrayNear([1.0], [1.3], 0.2),
    lambda t: t.assertEmpty([1]),
    lambda t: t.assertNotEmpty([]),
    lambda t: t.assertLen([1], 2),
    lambda t: t.assertStartsWith("ab", "b"),
    lambda t: t.assertEndsWith("ab", "a"),
    lambda t: t.assertBetween(3, 0, 2),
]


@pytest.mark.parametrize("check", GOOD)
def test_what_holds(check):
    check(Case())


@pytest.mark.parametrize("check", BAD)
def test_what_does_not_hold(check):
    with pytest.raises(AssertionError):
        check(Case())


def test_errors_that_a_test_case_expects():
    case = Case()
    with case.assertRaisesOpError("must|not"):
        raise tf.errors.NotFoundError(None, None, "it is not there")
    with pytest.raises(AssertionError), case.assertRaisesOpError("other"):
        raise tf.errors.NotFoundError(None, None, "it is not there")
    with pytest.raises(AssertionError, match="not raised"), case.assertRaisesOpError("other"):
        pass
    with case.assertRaisesIncompatibleShapesError():
        tf.ones(2) + tf.ones(3)


def test_a_test_case_draws_the_same_numbers_each_time():
    drawn = []
    for _ in range(2):
        case = Case()
        case.setUp()
        drawn.append((tf.random.normal([2]).numpy().tolist(), np.random.rand()))
    assert drawn[0] == drawn[1]


def test_the_folder_of_a_test_case_goes_with_it():
    import pathlib

    case = Case()
    case.setUp()
    folder = pathlib.Path(case.get_temp_dir())
    assert folder.is_dir() and case.get_temp_dir() == str(folder)
    case.doCleanups()
    assert not folder.exists()


def test_evaluate():
    assert Case().evaluate({"a": tf.constant([1, 2]), "b": 3})["a"].tolist() == [1, 2]
