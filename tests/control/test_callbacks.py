"""Programs that call Python: `tf.py_function`, `tf.numpy_function`."""

import numpy as np
import pytest

import hornbeam as tf

SPEC = tf.TensorSpec([], "float32")


def test_eager():
    x = tf.constant([1.0, 2.0])
    assert tf.py_function(lambda x: x.numpy().sum() + 0, [x], tf.float32).numpy() == 3
    a, b = tf.numpy_function(lambda x: (x.max(), int(x.argmax())), [x], [tf.float32, tf.int32])
    assert float(a) == 2 and int(b) == 1
    assert tf.py_function(lambda: None, [], None) is None
    assert tf.py_function(lambda: [], [], []) == []


def test_programs_call_it_each_time_in_order():
    calls = []

    def step(x):
        calls.append((type(x).__name__, float(x)))
        return np.float32(x * 2)

    @tf.function
    def f(x):
        y = tf.numpy_function(step, [x], SPEC)
        return tf.py_function(lambda y: step(y), [y + 1.0], SPEC)

    assert [float(f(tf.constant(x))) for x in (1.0, 2.0)] == [6, 10]
    assert [value for _, value in calls] == [1, 3, 2, 5]
    assert [name for name, _ in calls] == ["ndarray", type(tf.constant(1.0)).__name__] * 2


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "complex128", "complex64"])
def test_results_of_64_bits(dtype):
    value = np.array([[2**40 + 1, 3]]).astype(dtype) * (1 if "i" in dtype else np.array(1.5, dtype))
    spec = tf.TensorSpec([1, 2], dtype)
    found = tf.function(lambda: tf.numpy_function(lambda: value, [], spec))()
    assert found.dtype == dtype and np.array_equal(found.numpy(), value)


def test_without_shapes_the_function_runs_on_the_host():
    state = {"n": 0}

    def count(x):
        state["n"] += 1
        return np.full(state["n"], x, "float32")

    f = tf.function(lambda x: tf.numpy_function(count, [x], tf.float32) * 2)
    assert [f(tf.constant(3.0)).numpy().tolist() for _ in range(2)] == [[6], [6, 6]]


def test_errors_are_those_of_the_function():
    class Own(Exception):
        pass

    wanted = [True]

    def fail(x):
        if wanted[0]:
            raise Own("from Python")
        return x

    f = tf.function(lambda x: tf.numpy_function(fail, [x], SPEC) + 1)
    for _ in range(2):
        with pytest.raises(Own, match="from Python"):
            f(tf.constant(1.0))
    wanted[0] = False
    assert float(f(tf.constant(1.0))) == 2


def test_after_an_error_nothing_more_is_called():
    called = []

    def fail(x):
        called.append("first")
        raise ArithmeticError("from Python")

    def follow(x):
        called.append("second")
        return x

    @tf.function
    def f(x):
        y = tf.numpy_function(fail, [x], SPEC)
        return tf.numpy_function(follow, [y], SPEC)

    with pytest.raises(ArithmeticError, match="from Python"):
        f(tf.constant(1.0))
    assert called == ["first"]


def test_wrong_results():
    def run(result, types):
        return tf.numpy_function(lambda: result, [], types)

    with pytest.raises(tf.errors.InvalidArgumentError, match="returned int64; `Tout` says float32"):
        run(np.int64(1), tf.float32)
    with pytest.raises(ValueError, match="returned 1 values; `Tout` has 2"):
        run([1.0], [tf.float32, tf.float32])
    with pytest.raises(ValueError, match=r"shape \(2,\); `Tout` says \(\)"):
        tf.function(lambda: run(np.ones(2, "float32"), SPEC))()
    with pytest.raises(ValueError, match="needs a function"):
        tf.py_function(3, [], tf.float32)
