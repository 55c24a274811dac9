"""What programs with `tf.function` do, as functions of the library: TensorFlow's results are in `tensorflow.json`.

`record.py` writes that file; `test_like_tensorflow.py` compares. Each script returns what JSON can hold.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

SCRIPTS: dict[str, Callable[[Any], Any]] = {}


def script(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    SCRIPTS[fn.__name__] = fn
    return fn


def plain(value: Any) -> Any:
    """Return a result as JSON holds it: arrays as lists, tuples marked."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(plain, value)]
    return value


def raised(fn: Callable[[], Any]) -> str:
    """Return the builtin class of what `fn` raises."""
    try:
        fn()
    except Exception as error:
        return next(
            c.__name__ for c in type(error).__mro__ if getattr(builtins, c.__name__, 0) is c
        )
    return "nothing"


def of(tf: Any, fn: Callable[..., Any], **options: Any) -> Any:
    """Return the function compiled, its Python code as it stands."""
    return tf.function(fn, autograph=False, **options)


# When the Python code runs


@script
def traced_once_for_each_kind(tf):
    log = []
    f = of(tf, lambda x: (log.append(x.dtype.name), x + 1)[1])
    results = [f(tf.constant(1)), f(tf.constant(5)), f(tf.constant(1.5)), f(tf.constant(7))]
    return plain(results), len(log), log


@script
def traced_for_each_shape(tf):
    log = []
    f = of(tf, lambda x: (log.append(x.shape.as_list()), x * 2)[1])
    for size in (1, 2, 1, 2):
        f(tf.zeros([size]))
    return log


@script
def traced_for_each_number(tf):
    log = []
    f = of(tf, lambda x: (log.append(x), x + 1)[1])
    return plain([f(3), f(4), f(3), f(np.int32(3)), f(np.int32(9))]), len(log)


@script
def traced_for_each_string_and_none(tf):
    log = []
    f = of(tf, lambda x: (log.append(x), tf.constant(len(log)))[1])
    return plain([f("a"), f("b"), f("a"), f(None), f(None)]), log


@script
def traced_for_each_object(tf):
    class Thing:
        pass

    log, first, second = [], Thing(), Thing()
    f = of(tf, lambda x: (log.append(1), tf.constant(len(log)))[1])
    return plain([f(first), f(second), f(first)])


@script
def traced_for_each_structure(tf):
    log = []
    f = of(tf, lambda x: (log.append(1), tf.constant(len(log)))[1])
    one = tf.constant(1.0)
    return plain([f([one]), f((one,)), f([one, one]), f({"a": one}), f([one])])


@script
def arguments_by_name_and_default(tf):
    log = []

    def fn(x, y=2):
        log.append(y)
        return x * y

    f, one = of(tf, fn), tf.constant(1)
    return plain([f(one), f(one, 2), f(x=one), f(one, y=2), f(y=2, x=one), f(one, 3)]), log


@script
def lists_grow_while_tracing(tf):
    kept = []

    def fn(x):
        kept.append("traced")
        return x

    f = of(tf, fn)
    for i in range(5):
        f(tf.constant(float(i)))
    return kept


@script
def random_numbers_are_no_reason_to_trace_twice(tf):
    log = []
    f = of(tf, lambda: (log.append("traced"), tf.random.uniform([2]))[1])
    return [f().shape.as_list(), f().shape.as_list()], log


@script
def inputs_of_numpy(tf):
    f = of(tf, lambda x: x * 2)
    return plain([f(np.array([1.0, 2.0], "float32")), f(np.float32(3))])


@script
def closed_over_tensors_are_constants(tf):
    value = {"x": tf.constant(1.0)}
    f = of(tf, lambda y: value["x"] + y)
    first = f(tf.constant(1.0))
    value["x"] = tf.constant(10.0)
    return plain([first, f(tf.constant(1.0)), f(tf.constant([1.0]))])


# Variables


@script
def variables_are_read_at_each_call(tf):
    v = tf.Variable(1.0)
    f = of(tf, lambda x: v * x)
    first = f(tf.constant(2.0))
    v.assign(5.0)
    return plain([first, f(tf.constant(2.0))])


@script
def assignments_take_effect_at_each_call(tf):
    v, w = tf.Variable(0.0), tf.Variable([0.0, 0.0])

    def fn(x):
        v.assign_add(x)
        w.assign([1.0, 2.0] * v)
        v.assign_sub(1.0)
        return v + 0.0

    f = of(tf, fn)
    return plain([f(tf.constant(3.0)), f(tf.constant(3.0)), v, w])


@script
def a_tensor_read_before_an_assignment_keeps_its_value(tf):
    v = tf.Variable(1.0)

    def fn():
        before = v.read_value()
        v.assign_add(10.0)
        return before, v.read_value(), before + v

    f = of(tf, fn)
    return plain([f(), f()])


@script
def variables_made_on_the_first_call(tf):
    class Model:
        def __init__(self):
            self.v, self.traces = None, 0

        @tf.function(autograph=False)
        def __call__(self, x):
            self.traces += 1
            if self.v is None:
                self.v = tf.Variable(2.0)
            return self.v.assign_add(x)

    a, b = Model(), Model()
    one = tf.constant(1.0)
    results = plain([a(one), a(one), b(one)])
    return results, a.traces, b.traces, plain([a.v, b.v])


@script
def variables_in_a_list_made_on_the_first_call(tf):
    kept = []

    def fn(x):
        if not kept:
            kept.append(tf.Variable(tf.zeros([2])))
        return kept[0].assign_add(x)

    f = of(tf, fn)
    return plain([f(tf.ones([2])), f(tf.ones([2]))]), len(kept)


@script
def a_variable_returned_is_read(tf):
    v = tf.Variable([1.0, 2.0])
    f = of(tf, lambda: v)
    first = f()
    v.assign([3.0, 4.0])
    return plain([first, f()])


@script
def variables_as_arguments(tf):
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    f = of(tf, lambda v, x: v.assign_add(x))
    return plain([f(a, tf.constant(1.0)), f(b, tf.constant(1.0)), f(a, tf.constant(1.0)), a, b])


@script
def variables_in_structures_and_loops_of_python(tf):
    vs = [tf.Variable(float(i)) for i in range(3)]

    def fn(x):
        for i, v in enumerate(vs):
            v.assign(v * 2 + x * i)
        return sum(v * 1.0 for v in vs)

    f = of(tf, fn)
    return plain([f(tf.constant(1.0)), f(tf.constant(1.0)), *vs])


@script
def a_counter_in_globals(tf):
    count = tf.Variable(0)

    def inner():
        count.assign_add(1)

    def fn(x):
        inner()
        inner()
        return x

    f = of(tf, fn)
    [f(tf.constant(1.0)) for _ in range(3)]
    return plain(count)


# What comes back


@script
def structures_come_back(tf):
    f = of(tf, lambda x: {"b": x, "a": [x, (x + 1, None)], "n": 3, "f": 2.5, "t": True})
    return plain(f(tf.constant(1)))


@script
def nothing_comes_back(tf):
    return plain([of(tf, lambda x: None)(tf.constant(1.0)), of(tf, lambda: ())()])


@script
def functions_call_functions(tf):
    v = tf.Variable(1.0)
    inner = of(tf, lambda x: v.assign_add(x))
    outer = of(tf, lambda x: inner(x) * inner(x))
    return plain([outer(tf.constant(1.0)), v, outer(tf.constant(1.0)), v])


@script
def modes(tf):
    inside = []

    def fn(x):
        inside.append(tf.executing_eagerly())
        with tf.init_scope():
            inside.append(tf.executing_eagerly())
        return x

    of(tf, fn)(tf.constant(1.0))
    return [tf.executing_eagerly(), *inside]


@script
def init_scope_computes_at_once(tf):
    seen, v = [], tf.Variable(1.0)

    def fn(x):
        with tf.init_scope():
            seen.append(float(v + 1.0))
            v.assign(7.0)
        return x * v

    return plain(of(tf, fn)(tf.constant(2.0))), seen, plain(v)


@script
def run_eagerly(tf):
    log = []
    f = of(tf, lambda x: (log.append(float(x)), x)[1] if tf.executing_eagerly() else x)
    tf.config.run_functions_eagerly(True)
    try:
        f(tf.constant(1.0)), f(tf.constant(2.0))
        return log, tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)


@script
def static_shapes_are_python_numbers(tf):
    f = of(tf, lambda x: x.shape[0] * 2 + len(x.shape))
    return plain(f(tf.zeros([3, 2])))


# Errors: the builtin class


@script
def a_variable_made_on_every_call(tf):
    f = of(tf, lambda x: tf.Variable(1.0) * x)
    return [raised(lambda: f(tf.constant(1.0))), raised(lambda: f(tf.constant(1.0)))]


@script
def a_variable_made_on_a_later_call(tf):
    f = of(tf, lambda x: x if x.dtype.name == "int32" else tf.Variable(1.0) * x)
    f(tf.constant(1))
    return raised(lambda: f(tf.constant(1.0)))


@script
def a_tensor_of_a_finished_trace(tf):
    kept = []
    f = of(tf, lambda x: (kept.append(x * 2), x)[1])
    f(tf.constant(1.0))
    return raised(lambda: kept[0] + 1)


@script
def wrong_arguments(tf):
    f, one = of(tf, lambda x: x), tf.constant(1)
    return [raised(lambda: f()), raised(lambda: f(one, one)), raised(lambda: f(y=one))]


@script
def an_error_of_the_python_code(tf):
    def fn(x):
        raise KeyError("own")

    return raised(lambda: of(tf, fn)(tf.constant(1)))


@script
def an_error_leaves_no_trace(tf):
    wanted, v = [True], tf.Variable(1.0)

    def fn(x):
        v.assign_add(x)
        if wanted[0]:
            raise ValueError("not yet")
        return v + 0.0

    f = of(tf, fn)
    first = raised(lambda: f(tf.constant(1.0)))
    wanted[0] = False
    return first, plain([f(tf.constant(1.0)), v])
