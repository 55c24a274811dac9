"""Branches and loops, run by Python and in a traced function: scripts like those of `scripts.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.control.scripts import of, plain, raised, script


def both(tf: Any, fn: Callable[..., Any], *arguments: Any) -> Any:
    """Return the results of plain Python and of the traced function."""
    return [plain(fn(*arguments)), plain(of(tf, fn)(*arguments))]


def with_variable(tf: Any, fn: Callable[..., Any], *arguments: Any) -> Any:
    """Return the same for a function whose first argument is a new variable, and the variable's last value."""
    results = []
    for traced in (False, True):
        v = tf.Variable(1.0)
        run = of(tf, lambda *each, v=v: fn(v, *each)) if traced else lambda *each, v=v: fn(v, *each)
        results.append([plain(run(*arguments)), plain(run(*arguments)), plain(v)])
    return results


@script
def cond_returns(tf):
    def fn(x):
        return tf.cond(x > 0, lambda: {"a": x, "b": [1.0, None]}, lambda: {"a": -x, "b": [2.0, None]})  # fmt: skip

    return both(tf, fn, tf.constant(3)), both(tf, fn, tf.constant(-3))


@script
def cond_assigns(tf):
    def fn(v, x):
        before = v.read_value()
        tf.cond(x > 0, lambda: v.assign_add(x), lambda: v.assign_sub(2.0 * x))
        return before, v.read_value()

    return [with_variable(tf, fn, tf.constant(x)) for x in (2.0, -2.0)]


@script
def cond_assigns_in_one_branch(tf):
    def fn(v, x):
        tf.cond(x > 0, lambda: v.assign_add(x), lambda: v + 0.0)
        return v * 10.0

    return [with_variable(tf, fn, tf.constant(x)) for x in (2.0, -2.0)]


@script
def cond_within_cond(tf):
    def fn(v, x):
        def inner():
            v.assign_add(1.0)
            return tf.cond(x > 5, lambda: v.assign_add(100.0), lambda: v.assign_add(10.0)) * 1.0

        return tf.cond(x > 0, inner, lambda: v - 1.0)

    return [with_variable(tf, fn, tf.constant(x)) for x in (7.0, 2.0, -2.0)]


@script
def case_and_switch(tf):
    def fn(x):
        chosen = tf.case([(x > 5, lambda: 1), (x > 2, lambda: 2)], default=lambda: 3)
        return chosen, tf.switch_case(x, [lambda: 10, lambda: 20, lambda: 30])

    def with_default(x):
        return tf.switch_case(x, {1: lambda: 20, 0: lambda: 10}, default=lambda: -1)

    numbers = [tf.constant(x) for x in (0, 1, 2, 3, 9, -1)]
    return [[both(tf, fn, x), both(tf, with_default, x)] for x in numbers]


@script
def switch_assigns(tf):
    def fn(v, x):
        return tf.switch_case(x, [lambda: v.assign(7.0) * 1.0, lambda: v + 0.0, lambda: v.assign_add(1.0) * 1.0])  # fmt: skip

    return [with_variable(tf, fn, tf.constant(x)) for x in (0, 1, 2)]


@script
def while_counts(tf):
    def fn(n):
        return tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + i * i), (0, 0))

    return both(tf, fn, tf.constant(5)), both(tf, fn, tf.constant(0))


@script
def while_of_structures(tf):
    def fn(n):
        def body(i, pair):
            return i + 1, {"a": pair["b"], "b": pair["a"] + pair["b"]}

        return tf.while_loop(lambda i, pair: i < n, body, (0, {"a": 0, "b": 1}))

    return both(tf, fn, tf.constant(10))


@script
def while_assigns(tf):
    def fn(v, n):
        first = v.read_value()

        def body(i, s):
            v.assign(v * 2.0 + first)
            return i + 1, s + v

        return *tf.while_loop(lambda i, s: i < n, body, (0, 0.0)), first, v + 0.0

    return with_variable(tf, fn, tf.constant(4))


@script
def while_tests_a_variable(tf):
    def fn(v):
        def body(i):
            v.assign_add(3.0)
            return (i + 1,)

        return tf.while_loop(lambda i: v < 10.0, body, (0,)), v + 0.0

    return with_variable(tf, fn)


@script
def while_within_while(tf):
    def fn(v, n):
        def inner(j, s):
            v.assign_add(1.0)
            return j + 1, s + j

        def outer(i, s):
            _, s = tf.while_loop(lambda j, s: j < i, inner, (0, s))
            return i + 1, s

        return tf.while_loop(lambda i, s: i < n, outer, (0, 0))[1], v + 0.0

    return with_variable(tf, fn, tf.constant(5))


@script
def cond_within_while(tf):
    def fn(v, n):
        def body(i):
            tf.cond(tf.equal(i % 2, 0), lambda: v.assign_add(1.0), lambda: v.assign(v * 3.0))
            return (i + 1,)

        tf.while_loop(lambda i: i < n, body, (0,))
        return v + 0.0

    return with_variable(tf, fn, tf.constant(5))


@script
def while_stops_early(tf):
    def fn(n):
        return tf.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s * 2), (0, 1), maximum_iterations=3)  # fmt: skip

    return both(tf, fn, tf.constant(10)), both(tf, fn, tf.constant(2))


@script
def map_fn_maps(tf):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    def fn(x):
        pair = tf.map_fn(lambda p: (p[0] * p[1], p[0]), (x, x), fn_output_signature=(tf.float32, tf.float32))  # fmt: skip
        return tf.map_fn(tf.reduce_sum, x), pair

    return both(tf, fn, x)


@script
def map_fn_assigns(tf):
    def fn(v, x):
        return tf.map_fn(lambda each: v.assign_add(each) * 1.0, x), v + 0.0

    return with_variable(tf, fn, tf.constant([1.0, 2.0, 3.0]))


@script
def scans_and_folds(tf):
    def fn(x):
        add = lambda a, b: a + b * b  # noqa: E731
        return [
            tf.scan(add, x),
            tf.scan(add, x, initializer=10),
            tf.scan(add, x, reverse=True),
            tf.scan(add, x, initializer=10, reverse=True),
            tf.scan(lambda a, b: (a[0] + b[0], a[1] * b[1]), (x, x), initializer=(0, 1)),
            tf.foldl(lambda a, b: 2 * a - b, x),
            tf.foldr(lambda a, b: 2 * a - b, x),
            tf.foldl(lambda a, b: 2 * a - b, x, initializer=5),
            tf.foldr(lambda a, b: 2 * a - b, x, initializer=5),
        ]

    return both(tf, fn, tf.constant([1, 2, 3])), both(tf, fn, tf.constant([4]))


@script
def vectorized_map_maps(tf):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    return both(tf, lambda x: tf.vectorized_map(lambda row: row * tf.reduce_sum(row), x), x)


@script
def python_runs_once_for_each_function_of_a_loop(tf):
    log = []

    def body(i):
        log.append("body")
        return (i + 1,)

    of(tf, lambda n: tf.while_loop(lambda i: i < n, body, (0,)))(tf.constant(100))
    tf.while_loop(lambda i: i < 3, body, (tf.constant(0),))
    return log


@script
def random_numbers_in_a_loop_differ(tf):
    def fn():
        return tf.map_fn(lambda x: x + tf.random.uniform([]), tf.zeros([8]))

    return len(set(of(tf, fn)().numpy().tolist()))


@script
def shapes_and_types_that_change_in_a_loop(tf):
    def grow():
        return tf.while_loop(lambda x: tf.reduce_sum(x) < 9.0, lambda x: (tf.concat([x, x], 0),), (tf.ones([1]),))  # fmt: skip

    def turn():
        return tf.while_loop(lambda x: x < 3, lambda x: (tf.cast(x, tf.float32) + 1.0,), (0,))

    def drop():
        return tf.while_loop(lambda x, y: x < 3, lambda x, y: (x + 1,), (0, 1))

    return [raised(of(tf, each)) for each in (grow, turn, drop)]


@script
def branches_that_differ(tf):
    def fn(x):
        return tf.cond(x > 0, lambda: 1, lambda: 2.0)

    return raised(lambda: of(tf, fn)(tf.constant(1))), raised(lambda: tf.cond(True, 1, 2))


@script
def wrong_elements(tf):
    return [
        raised(lambda: tf.map_fn(lambda x: x, tf.constant(1))),
        raised(lambda: tf.while_loop(lambda: True, lambda: (), [])),
        raised(lambda: tf.switch_case(tf.constant(0), {0: lambda: 1, 2: lambda: 2})),
    ]


@script
def case_of_conditions_that_exclude_each_other(tf):
    def fn(x):
        pairs = [(x > 5, lambda: 1), (x < 9, lambda: 2)]
        return tf.case(pairs, default=lambda: 3, exclusive=True)

    def fails(x):
        return [raised(lambda: fn(x)) != "nothing", raised(lambda: of(tf, fn)(x)) != "nothing"]

    return both(tf, fn, tf.constant(9)), both(tf, fn, tf.constant(0)), fails(tf.constant(7))


@script
def case_without_default(tf):
    def fn(x):
        return tf.case([(x > 5, lambda: 1), (x > 2, lambda: 2)])

    def fails(x):
        return [raised(lambda: fn(x)) != "nothing", raised(lambda: of(tf, fn)(x)) != "nothing"]

    return both(tf, fn, tf.constant(9)), both(tf, fn, tf.constant(3)), fails(tf.constant(0))
