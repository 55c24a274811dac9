"""Which gradients are compiled as one program, and which record by record."""

import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.core import programs
from hornbeam.kernels import native
from tests.tolerances import assert_close

factor = 2.0


def scaled(x):
    return x * factor


def slope(factors, number=1.0):
    """The gradient of a product; the number of factors makes the structure."""
    x = tf.constant(1.1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * number
        for _ in range(factors):
            y = y * x
    gradient = tape.gradient(y, x)
    assert_close(gradient, number * (factors + 1) * 1.1**factors)


@pytest.fixture(autouse=True)
def nothing_kept():
    for table in (programs._programs, programs._seen, programs._values):
        table.clear()


def made(*calls):
    """How many programs each of the calls adds."""
    counts = []
    for arguments in calls:
        before = len(programs._programs)
        slope(*arguments)
        counts.append(len(programs._programs) - before)
    return counts


def test_the_same_structure_is_one_program():
    assert made((3,), (3,), (3,)) == [1, 0, 0]


def test_structures_that_differ_each_time_run_record_by_record():
    assert made((1,), (2,), (3,), (4,)) == [1, 1, 1, 1]
    few = sum(made((5,), (6,), (7,), (8,)))
    assert few <= 4, "one for each kind of record, shared by all"
    assert sum(made((9,), (10,))) == 0


def test_what_is_seen_three_times_is_compiled():
    made((1,), (2,), (3,), (4,), (5,))
    assert made((5,), (5,), (5,)) == [0, 1, 0]


def test_a_number_that_varies_becomes_an_argument():
    counts = made(*((2, 0.5**i) for i in range(14)))
    assert counts[-4:] == [0, 0, 0, 0]


def test_each_setting_has_its_own_programs():
    assert made((3,)) == [1]
    with native.switched_off():
        assert made((3,), (3,)) == [1, 0]
    assert made((3,)) == [0]


def test_what_takes_long_to_compile_runs_record_by_record(monkeypatch):
    monkeypatch.setattr(programs, "_LONG", 6)
    assert made((6,), (6,)) == [2, 0], "one for the product with a number, and one for all others"
    assert made((3,)) == [1]


def test_a_users_function_is_computed_each_time(monkeypatch):
    x = tf.constant([1.0, 2.0])
    for number in (2.0, 3.0):
        monkeypatch.setitem(globals(), "factor", number)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = keras.ops.map(scaled, x)
        assert_close(tape.gradient(y, x), [number, number])
