"""Functions that AutoGraph can't rewrite, and those that reach it through others: what a user is told, and what is done."""

from __future__ import annotations

import functools
from typing import Any

import pytest

import hornbeam as tf

# pyright: basic

TEXTS = {
    "if": "def f(x):\n    if x > 0:\n        return x\n    return -x\n",
    "while": "def f(x):\n    while x > 0:\n        x -= 1\n    return x\n",
    "and": "def f(x):\n    return x > 0 and x < 5\n",
    "not": "def f(x):\n    return not x > 0\n",
    "expression": "def f(x):\n    return x if x > 0 else -x\n",
    "assert": "def f(x):\n    assert x > 0\n",
    "range": "def f(x):\n    for _ in range(x):\n        pass\n",
    "inner": "def f(x):\n    def inner(y):\n        return y if y > 0 else x\n    return inner(x)\n",
    "lambda": "f = lambda x: x if x > 0 else -x\n",
}


def without_source(text: str) -> Any:
    variables: dict[str, Any] = {"tf": tf}
    exec(text, variables)
    return variables["f"]


@pytest.mark.parametrize("kind", TEXTS)
def test_a_function_without_source_says_so_and_what_to_write(kind) -> None:
    """As one of `exec`, `python -c` and Python's prompt is."""
    with pytest.raises(RuntimeError, match=r"source of '<string>' can't be read\. Put .* into a file .*tf\.cond\(.*tf\.while_loop") as caught:  # fmt: skip
        tf.function(without_source(TEXTS[kind]))(tf.constant(3))
    assert str(caught.value).count("AutoGraph") == 1


def test_one_that_is_called_says_so_too() -> None:
    f = without_source(TEXTS["if"])
    with pytest.raises(TypeError, match="left f as it is: the source of '<string>' can't be read"):
        tf.function(lambda x: tf.function(lambda y: f(y))(x))(tf.constant(3))


def test_loops_over_tensors_without_source_run_on_the_host() -> None:
    f = without_source("def f(x):\n    s = 0\n    for i in tf.range(x):\n        s += i\n    return s\n")  # fmt: skip
    assert [int(tf.function(f)(tf.constant(n))) for n in (4, 0)] == [6, 0]


def test_other_reasons_are_told() -> None:
    def numbers(x):
        yield x if x > 0 else -x

    async def later(x):
        return x if x > 0 else -x

    def looks(x):
        return locals() if x > 0 else x

    def sends(x):
        try:
            later(x).send(None)
        except StopIteration as done:
            return done.value

    for fn, text in (
        (lambda x: [*numbers(x)], r"left numbers as it is: line \d+: generators"),
        (sends, "left later as it is: generators and coroutines"),
        (looks, r"left looks as it is: line \d+: `locals` looks into the frame"),
        (lambda x: max([x, x + 1], key=absolute), "called by a function of a library"),
        (tf.keras.layers.Lambda(absolute), "called by a function of a library"),
    ):
        with pytest.raises(RuntimeError, match=text):
            tf.function(fn)(tf.constant(3))


def test_errors_of_other_kinds_are_left_alone() -> None:
    def f(x):
        return [1, 2][x]

    with pytest.raises(RuntimeError) as caught:
        tf.function(f)(tf.constant(1))
    assert "AutoGraph" not in str(caught.value)


# Lambdas


def test_lambdas_in_each_other_and_beside_each_other_are_told_apart() -> None:
    make = lambda y: lambda x: (lambda x: x + 1 if x > y else x)(x) if x > 0 else -x  # noqa: E731
    pair = (lambda x: x if x > 0 else -x), (lambda x, *y: x if x < 0 else -x)  # fmt: skip
    answers = [int(tf.function(f)(tf.constant(n))) for f in (make(2), *pair) for n in (-1, 1, 3)]
    assert answers == [1, 1, 4, 1, 1, 3, -1, -1, -3]


# Functions that are handed to others


def absolute(x):
    if x > 0:
        return x
    return -x


def larger(a, b):
    return a if a > b else b


def step(i):
    return (i + 2,) if i > 2 else (i + 1,)


def is_small(i):
    return i < 5 and i < 10


HANDED_ON = {
    "map_fn": (lambda x: tf.map_fn(absolute, x), [2, 1]),
    "map_fn by name": (lambda x: tf.map_fn(fn=absolute, elems=x), [2, 1]),
    "vectorized_map": (lambda x: tf.vectorized_map(absolute, x), [2, 1]),
    "scan": (lambda x: tf.scan(larger, x), [-2, 1]),
    "foldl": (lambda x: tf.foldl(larger, x), 1),
    "foldr": (lambda x: tf.foldr(larger, x), 1),
    "cond": (lambda x: tf.cond(x[0] < 1, functools.partial(absolute, x[0]), lambda: x[0]), 2),
    "while_loop": (lambda x: tf.while_loop(is_small, step, (x[1],))[0], 5),
    "case": (lambda x: tf.case([(x[0] > 1, lambda: x[0])], functools.partial(absolute, x[0])), 2),
    "switch_case": (lambda x: tf.switch_case(x[1] - 1, {0: functools.partial(absolute, x[0])}), 2),
    "map": (lambda x: tf.stack(list(map(absolute, tf.unstack(x)))), [2, 1]),
    "reduce": (lambda x: functools.reduce(larger, tf.unstack(x)), 1),
    "keras.ops.map": (lambda x: tf.keras.ops.map(absolute, x), [2, 1]),
    "keras.ops.cond": (
        lambda x: tf.keras.ops.cond(x[0] < 1, lambda: absolute(x[0]), lambda: 9),
        2,
    ),
    "recompute_grad": (lambda x: tf.recompute_grad(absolute)(x[0]), 2),
}


@pytest.mark.parametrize("name", HANDED_ON)
def test_functions_that_the_library_calls_are_converted(name) -> None:
    """TensorFlow does so for `map_fn` and `custom_gradient`."""
    fn, expected = HANDED_ON[name]
    assert tf.function(fn)(tf.constant([-2, 1])).numpy().tolist() == expected


def test_a_custom_gradient_is_converted() -> None:
    @tf.function
    def fn(x):
        return tf.custom_gradient(lambda x: (absolute(x), lambda slope: slope))(x)

    assert float(fn(tf.constant(-3.0))) == 3


def test_arguments_may_be_named_as_those_of_the_operators() -> None:
    def f(*, fn, args):
        return fn + args if fn > 0 else args

    assert int(tf.function(f)(fn=tf.constant(1), args=tf.constant(2))) == 3
