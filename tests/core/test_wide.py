"""64-bit types: served where asked for, absent elsewhere, and as precise as their name says."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras, ops
from hornbeam.core import plans
from hornbeam.core.call_keys import call_key
from hornbeam.core.plans import WORTH_COMPILING
from hornbeam.core.tensor import convert_to_tensor, unwrap
from tests.recorder import Record
from tests.tolerances import assert_close

F64, I64 = np.array([0.3, 0.7]), np.array([1, 2])
BIG = 2**40


def test_numbers_are_of_32_bits_unless_they_need_more():
    for value in (1.0, [1.0, 2.0], [[0.5]]):
        assert convert_to_tensor(value).dtype == "float32"
    for value in (1, [1, 2], True + 1, 2**31 - 1, -(2**31)):
        assert convert_to_tensor(value).dtype == "int32"
    for value in (2**31, [1, BIG], -(2**31) - 1):
        found = convert_to_tensor(value)
        assert found.dtype == "int64" and found.numpy().tolist() == value


def test_arrays_keep_their_types():
    for dtype in ("float64", "int64", "uint64", "complex128"):
        found = convert_to_tensor(F64.astype(dtype))
        assert found.dtype == dtype and found.numpy().dtype == dtype
        assert ops.cast(1, dtype).dtype == ops.zeros((2,), dtype).dtype == dtype


def test_python_numbers_beside_64_bits_are_not_rounded():
    x = tf.constant(F64)
    for found, expected in (
        (x * 0.1, F64 * 0.1),
        (0.1 + x, F64 + 0.1),
        (x**0.1, F64**0.1),
        (ops.maximum(x, 0.6123456789), np.maximum(F64, 0.6123456789)),
        (ops.where([True, False], x, 0.1), np.array([0.3, 0.1])),
        (ops.clip(x, 0.4123456789, 0.5), np.array([0.4123456789, 0.5])),
        (tf.add(x, [0.1, 0.2]), F64 + np.array([0.1, 0.2])),
        (x * np.array([0.1, 0.2]), F64 * [0.1, 0.2]),
        (x * np.float64(0.1), F64 * 0.1),
        (tf.constant(0.1, tf.float64), np.array(0.1)),
        (ops.full((2,), 0.1, "float64"), np.array([0.1, 0.1])),
    ):
        assert found.dtype == "float64" and found.numpy().tolist() == expected.tolist()
    assert (tf.constant(I64) + BIG).numpy().tolist() == [BIG + 1, BIG + 2]
    assert (tf.constant(I64) == BIG).numpy().tolist() == [False, False]
    assert ops.max(tf.constant([BIG, 1])).numpy() == BIG


def test_the_same_inside_of_programs():
    @jax.jit
    def run(x, i):
        x, i = convert_to_tensor(x), convert_to_tensor(i)
        found = (
            x * 0.1,
            ops.argmax(x),
            ops.max(i),
            i + BIG,
            ops.random.normal((2,), dtype="float64", seed=1),
        )
        return jax.tree.map(unwrap, found, is_leaf=tf.is_tensor)

    times, place, most, more, drawn = run(unwrap(tf.constant(F64)), unwrap(tf.constant(I64)))
    assert times.tolist() == (F64 * 0.1).tolist() and drawn.dtype == "float64"
    assert (int(place), place.dtype) == (1, "int32")
    assert (int(most), more.tolist()) == (2, [BIG + 1, BIG + 2])


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_places_of_the_largest_and_smallest(axis: int | None, keepdims: bool):
    x = np.array([[1.0, 3.0, 3.0], [np.nan, 2.0, -1.0]])
    for name in ("argmax", "argmin"):
        expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
        run = partial(getattr(ops, name), axis=axis, keepdims=keepdims)
        compiled = jax.jit(lambda x, run=run: unwrap(run(x)))
        for found in (run(x), compiled(unwrap(tf.constant(x)))):
            assert found.dtype == "int32"
            np.testing.assert_array_equal(found, expected)


def test_numbers_beside_arrays_are_rounded_once():
    for found in (
        tf.add(F64, 0.1),
        tf.where([True, True], F64 + 0.1, 0.1),
        tf.add(F64, [0.1, 0.1]),
    ):
        assert found.numpy().tolist() == (F64 + 0.1).tolist()
    assert tf.where([False, False], F64, 0.1).numpy().tolist() == [0.1, 0.1]


def test_beside_tensors_numpy_takes_their_bits():
    one, whole = tf.constant(1.0), tf.constant(1)
    assert (one + F64).dtype == (F64 + one).dtype == (one * np.float64(2)).dtype == "float32"
    assert (whole + I64).dtype == "int32" and (one + I64).dtype == "float32"
    assert (tf.constant(F64) + I64).dtype == "float64"
    assert ops.take(tf.constant([1.0, 2.0]), np.array([0])).dtype == "float32"
    assert ops.take(F64, tf.constant([0])).dtype == "float64"
    with pytest.raises(
        ValueError, match=r"from 1 to 1099511627776 do not fit into int32.*tf.int64"
    ):
        whole + np.array([1, BIG])
    for refused in (lambda: tf.constant([1, BIG], tf.int32), lambda: tf.Variable(1).assign(BIG)):
        with pytest.raises(ValueError, match="1099511627776 do not fit into int32, the type asked"):
            refused()


def test_whole_numbers_and_fractions_make_float32():
    i = tf.constant(I64)
    for found in (i * 0.5, ops.multiply(I64, 0.5), ops.divide(I64, I64), ops.mean(I64), ops.exp(i)):
        assert found.dtype == "float32"
    assert ops.multiply(np.array([BIG]), 0.5).numpy() == BIG / 2


def test_other_code_keeps_32_bits():
    def double(x):
        assert jnp.zeros(2).dtype == jnp.asarray(0.1).dtype == "float32"
        return x * 2

    assert ops.vectorized_map(double, tf.constant(F64)).dtype == "float64"
    assert ops.map(double, F64).dtype == "float64"
    assert jnp.asarray(F64).dtype == "float32"


def test_variables_add_in_their_own_type():
    v = tf.Variable(F64)
    v.assign_add([0.1, 0.1])
    assert v.numpy().tolist() == (F64 + 0.1).tolist()
    v = keras.Variable(np.array(BIG))
    v.assign_add(1)
    assert int(v) == BIG + 1 and v.dtype == "int64"


def test_what_is_recorded_is_computed_in_64_bits_again():
    x = tf.constant(F64)
    with Record() as record:
        y = x * 0.1
    ((call, _),) = record.calls
    assert call_key(call.fn)  # gradients find it again
    assert unwrap(call.replay(call.values)).tolist() == y.numpy().tolist()


def test_gradients_have_64_bits():
    gradient = jax.grad(lambda x: unwrap(ops.sum(ops.square(convert_to_tensor(x)) * 0.1)))
    assert gradient(unwrap(tf.constant(F64))).tolist() == (0.2 * F64).tolist()
    x = tf.constant(F64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x * 0.1 + np.array([0.1, 0.2]) * x)
    found = tape.gradient(y, x)
    assert found.dtype == "float64"
    assert_close(found, 0.2 * F64 + [0.1, 0.2], "float64")


def test_calls_with_64_bits_are_plans():
    x, i, b = tf.constant(F64), tf.constant(I64), tf.constant([True, False])
    one = tf.constant([1.0, 1.0])
    for run, dtype in (
        (lambda: ops.softmax(x), "float64"),
        (lambda: x * 0.1, "float64"),
        (lambda: x * F64, "float64"),
        (lambda: one * F64, "float32"),
        (lambda: one * np.float64(0.1), "float32"),
        (lambda: one + np.int64(3), "float32"),
        (lambda: i + np.int64(3), "int64"),
        (lambda: b * np.int64(3), "int64"),
        (lambda: i + BIG, "int64"),
        (lambda: i * 0.5, "float32"),
        (lambda: ops.multiply(I64, 0.5), "float32"),
        (lambda: one + np.array([BIG, 1]), "float32"),
        (lambda: ops.cast(one, "float64"), "float64"),
        (lambda: ops.zeros((2,), "int64"), "int64"),
        (lambda: x * 1j, "complex128"),
        (lambda: one * 1j, "complex64"),
        (lambda: one * np.complex128(1j), "complex64"),
    ):
        with Record() as record:
            results = [run() for _ in range(4)]
        results += [run() for _ in range(4)]
        assert all(call.plan is not None for call, _ in record.calls)
        assert {each.dtype for each in results} == {dtype}
        assert len({each.numpy().tobytes() for each in results}) == 1


@pytest.mark.parametrize("first, then", [(F64, F64.astype("float32")), (F64 > 0.5, I64)])
def test_one_call_on_other_types_is_another_plan(first, then):
    for value in (first, then, first, then):
        found = tf.constant(value) * np.int64(3)
        assert found.numpy().tolist() == (value * np.asarray(3, found.dtype)).tolist()
        assert found.dtype == ("int64" if value is first and value.dtype == bool else value.dtype)


PRODUCTS = {"float64": "float64", "int64": "float32", "float32": "float32", "int32": "float32"}


@pytest.mark.parametrize("types", list(permutations(PRODUCTS, 2)), ids=" ".join)
def test_a_plan_serves_the_types_that_it_was_made_for(types):
    """Whichever type comes first, calls on the other one are computed as if they were alone."""
    plans.clear()
    for _ in range(WORTH_COMPILING):
        for dtype in types:
            x, kind = tf.constant([1, 3], dtype), PRODUCTS[dtype]
            found = x * 0.1
            assert found.dtype == kind
            assert (
                found.numpy().tolist() == (np.array([1, 3], kind) * np.asarray(0.1, kind)).tolist()
            )
            assert ops.max(x).dtype == dtype and int(ops.max(x)) == 3


def test_numbers_that_change_do_not_lose_bits_as_arguments():
    x, i = tf.constant(F64), tf.constant(I64)
    for n in range(20):
        assert (x * (0.1 + n)).numpy().tolist() == (F64 * (0.1 + n)).tolist()
        assert (i + (2**31 - 10 + n)).numpy().tolist() == (I64 + (2**31 - 10 + n)).tolist()
        assert (tf.constant(1.0) * 2.0 ** (n + 20)).dtype == "float32"
    narrow = tf.constant(0)
    for n in range(10):
        assert (narrow + (2**31 - 10 + n)).numpy() == 2**31 - 10 + n
    for n in range(10):
        with pytest.raises(ValueError, match="int32"):
            narrow + (2**31 + n)
    assert (tf.constant(0, tf.uint32) + (2**31 + 5)).numpy() == 2**31 + 5


CHOICES = """
import sys
import jax, numpy
chosen = sys.argv[1]
if chosen != "environment": jax.config.update(*eval(chosen))
import hornbeam as tf
print(jax.config.jax_explicit_x64_dtypes.name, tf.constant(numpy.ones(2)).dtype.name, tf.constant(1.0).dtype.name)
"""


@pytest.mark.parametrize(
    ("choice", "env", "expected"),
    [
        (("jax_explicit_x64_dtypes", "error"), {}, "ERROR float32 float32"),
        (("jax_enable_x64", True), {}, "WARN float64 float64"),
        ("environment", {"JAX_EXPLICIT_X64_DTYPES": "warn"}, "WARN float32 float32"),
    ],
)
def test_the_users_choice_is_kept(choice, env, expected):
    command = [sys.executable, "-W", "error", "-c", CHOICES, str(choice)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | env, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")
