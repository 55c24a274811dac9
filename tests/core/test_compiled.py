"""Programs that take variables over: nobody sees it but by the time it takes."""

import signal
import threading

import numpy as np
import pytest

import hornbeam as tf
from tests.tolerances import assert_close

LARGE = (200, 100)  # 80 KB: worth handing over


def _variables(count=2):
    return [tf.Variable(np.full(LARGE, float(i + 1), "float32")) for i in range(count)]


def _adding(v):
    @tf.function
    def add():
        v.assign_add(tf.ones(LARGE))

    return add


def test_memory_of_large_variables_is_used_again():
    (v,) = _variables(1)
    add = _adding(v)
    add()  # the first value was the user's perhaps
    before = v._value
    add()
    assert before.is_deleted()
    assert float(v[0, 0]) == 3


@pytest.mark.parametrize(
    "hold", [lambda v: v.read_value(), lambda v: v + 0, lambda v: v.view(), lambda v: v[:]]
)
def test_what_was_read_stays_whole(hold):
    (v,) = _variables(1)
    add = _adding(v)
    for i in range(3):
        add()
        held = hold(v)
        add()
        assert float(np.asarray(held)[0, 0]) == 2 * i + 2
    assert float(v[0, 0]) == 7


def test_values_that_change_places_or_are_shared():
    v, w = _variables()
    u = tf.Variable(np.zeros(LARGE, "float32"))

    @tf.function
    def step(x):
        old = v.read_value()
        v.assign(w)
        w.assign(old)
        u.assign(w)
        return u.assign_add(x), old

    for i in range(4):
        total, old = step(tf.ones(LARGE))
        now = [float(each[0, 0]) for each in (v, w, u, total, old)]
        assert now == ([2, 1, 2, 2, 1] if i % 2 == 0 else [1, 2, 3, 3, 2])
        _adding(v)()
        v.assign_sub(tf.ones(LARGE))
        assert float(total[0, 0]) == now[3]


def test_tapes_outside_hold_what_they_followed():
    v, w = _variables()

    @tf.function
    def step(x):
        y = tf.reduce_sum(v * w * x)
        v.assign_add(w)
        return y

    x = tf.ones(LARGE)
    step(x)
    with tf.GradientTape(persistent=True) as tape:
        first = step(x)
        second = step(x)
    step(x)
    for result, value in ((first, 3), (second, 5)):
        assert_close(tape.gradient(result, w), np.full(LARGE, value, "float32"))
        assert_close(tape.gradient(result, v), np.full(LARGE, 2, "float32"))


def _refused(x):
    def fail(x):
        if x < 0:
            raise ValueError("below zero")
        return x

    return tf.numpy_function(fail, [x], tf.TensorSpec((), tf.float32))


@pytest.mark.parametrize(
    "check, error",
    [(tf.debugging.assert_non_negative, tf.errors.InvalidArgumentError), (_refused, ValueError)],
)
def test_after_an_error_in_python_variables_hold_what_they_held(check, error):
    v, w = _variables()
    small = tf.Variable(0.0)

    @tf.function
    def step(x):
        small.assign_add(1.0)
        v.assign_add(w)
        check(x)
        w.assign(v * x)

    step(tf.constant(1.0))
    for _ in range(2):
        with pytest.raises(error):
            step(tf.constant(-1.0))
        assert [float(v[0, 0]), float(w[0, 0]), float(small)] == [3, 3, 1]
    step(tf.constant(2.0))
    assert [float(v[0, 0]), float(w[0, 0]), float(small)] == [6, 12, 2]


def test_python_that_a_program_calls_reads_the_variables():
    (v,) = _variables(1)
    seen = []

    def look():
        seen.append(float(v[0, 0]))
        return np.float32(1)

    @tf.function
    def step():
        x = tf.numpy_function(look, [], tf.TensorSpec((), tf.float32))
        v.assign_add(x * tf.ones(LARGE))

    for _ in range(3):
        step()
    assert len(seen) == 3
    assert float(v[0, 0]) == 4


def test_readers_and_steps_in_several_threads():
    (v,) = _variables(1)
    add = _adding(v)
    errors, turns = [], 60

    def work(act):
        try:
            for _ in range(turns):
                act()
        except Exception as error:
            errors.append(error)

    def read():
        assert len(set(v.numpy().ravel().tolist())) == 1
        assert len(set(np.asarray(v * 2).ravel().tolist())) == 1

    threads = [threading.Thread(target=work, args=(act,)) for act in (add, add, read, read)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors
    assert float(v[0, 0]) == 1 + 2 * turns


def test_ctrl_c_in_a_loop_by_hand_waits_for_the_end_of_the_step():
    v, w = _variables()

    @tf.function
    def step():
        for _ in range(6):
            v.assign_add(tf.tanh(v) * 0 + 1)
        w.assign(v)

    step()
    done = 0
    for delay in np.linspace(0.001, 0.03, 8):
        signal.setitimer(signal.ITIMER_REAL, delay)
        with pytest.raises(KeyboardInterrupt):
            while True:
                step()
                done += 1
        assert float(v[0, 0]) == float(w[0, 0])
    assert done


@pytest.fixture(autouse=True)
def _alarm_is_ctrl_c():
    """SIGALRM interrupts as SIGINT does, by its handler."""
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    ctrl_c = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # may be off in the background
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGINT, ctrl_c)
    signal.signal(signal.SIGALRM, before)
