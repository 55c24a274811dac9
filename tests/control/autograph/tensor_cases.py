"""Functions with control flow over tensors, and arguments: TensorFlow's answers are in `tensorflow.json`.

`record.py` writes that file; `test_tensors.py` compares. `tf` is the library that runs them.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable
from typing import Any

import numpy as np

# pyright: basic, reportPossiblyUnbound=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# ruff: noqa: SIM108, B007

tf: Any = None
CASES: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {}
LOG: list[object] = []


def case(*calls: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a function with its arguments: a tuple for each call, or one value."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        CASES[fn.__name__] = fn, [each if isinstance(each, tuple) else (each,) for each in calls]
        return fn

    return add


def outcome(library: Any, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return what a call gives, as JSON holds it: values with their types, or the class of the error."""
    global tf
    tf = library
    LOG.clear()
    tensors = [each if isinstance(each, types.FunctionType) else tf.constant(each) for each in args]
    try:
        return plain(fn(*tensors))
    except Exception as error:
        kinds = (c.__name__ for c in type(error).__mro__)
        return "raises " + next(name for name in kinds if hasattr(builtins, name))


def plain(value: Any) -> Any:
    """Return a result as JSON holds it."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return list(map(plain, value))
    return value


# --- if


@case(3, -3, 0)
def signs(x):
    if x > 0:
        y = x * 2
    elif x < 0:
        y = -x
    else:
        y = x + 100
    return y


@case(7, 5, 3, -1)
def early_returns(x):
    if x > 6:
        return x
    if x > 4:
        return x * 10
    y = x + 1
    if y > 0:
        z = y * y
        return z
    return y


@case(3, -3)
def a_dead_name_may_differ(x):
    if x > 0:
        label, y = ["positive"], 1
        x = x + y
    else:
        label = None  # noqa: F841 - of another kind here
    return x


@case(3, -3)
def undefined_in_one_branch(x):
    if x > 0:
        y = 1
    return y


@case(3)
def returns_in_one_branch(x):
    if x > 0:
        return x


@case(3)
def other_type_in_a_branch(x):
    if x > 0:
        y = 1
    else:
        y = 2.0
    return y


@case(3)
def none_in_a_branch(x):
    y = None
    if x > 0:
        y = x
    return y


@case(3)
def other_length_in_a_branch(x):
    y = [x]
    if x > 0:
        y = [x, x]
    return y


@case(3, -3)
def structures(x):
    y = {"a": x, "b": (x, [x + 1])}
    if x > 0:
        y = {"a": x * 2, "b": (x * 3, [x])}
    return y


@case(3, -3)
def numbers_in_branches(x):
    if x > 0:
        y, z = 1, True
    else:
        y, z = 2, False
    return y, z


@case((3, 4), (3, -4), (-3, 4), (-3, -4))
def nested_branches(x, y):
    s = 0
    if x > 0:
        if y > 0:
            s += x * y
        s += 1
    else:
        s -= 1
        if y > 0:
            return s * 100
    return s + x


@case([1, 2])
def a_vector_as_condition(x):
    if x > 0:
        return 1
    return 2


@case(3, -3)
def raises_while_tracing(x):
    if x > 0:
        raise KeyError("x")
    return x


class Holder:
    """An object with attributes, one of them private."""

    def __init__(self, x):
        self.x = x
        self.__y = x

    def change(self, test):
        if test > 0:
            self.x = self.x + 1
            self.__y = self.__y * 2
        for _ in tf.range(2):
            self.__y += self.x
        return self.x, self.__y


@case(3, -3)
def attributes(x):
    return Holder(x).change(x)


@case(3, -3)
def items_of_dicts(x):
    d = {"v": x, "w": [x, x]}
    if x > 0:
        d["v"] = x * 2
        d["w"][1] = x + 1
    return d["v"], d["w"][1]


@case(3, -3)
def deletes(x):
    y = x
    if x > 0:
        del y
    return x


@case(3, -3)
def closures(x):
    def double(y):
        if y > 0:
            return y * 2
        return y

    y = double(x) + double(-x)
    return y if y > 2 else (lambda v: v + 1 if v > 1 else v - 1)(y)


# --- operators


@case((3, 4), (3, -4), (-3, 4))
def logic(x, y):
    return x > 0 and y > 0, x > 0 or y > 0, not x > 0, not (x > 0 or y > 0) and x < y


@case(2, 5, 0)
def chained(x):
    return 0 < x < 3, 1 if 0 < x <= 2 < 4 else 0


@case(3, -3)
def conditional_expressions(x):
    return (x if x > 0 else -x), [x + i if x > i else i for i in range(2)]


@case(3)
def other_type_in_an_expression(x):
    return 1 if x > 0 else 2.0


@case([4, -2])
def builtins_of_tensors(x):
    return len(x), int(x[0]), float(x[1]), abs(x[1]), sum([x[0], x[1]])


# --- while


@case(5, 0)
def counts_down(x):
    turns = 0
    while x > 0:
        x -= 1
        turns += 1
    return x, turns


@case((12, 18), (7, 5))
def gcd(a, b):
    while b != 0:
        a, b = b, a % b
    return a


@case(20)
def while_with_break_and_continue(n):
    i, total = 0, 0
    while i < n:
        i += 1
        if i % 2 == 0:
            continue
        if i > 9:
            break
        total += i
    else:
        total = -1
    return i, total


@case(4)
def while_else(x):
    while x < 6:
        x += 1
    else:
        x = x * 10
    return x


@case(3)
def made_in_a_turn(x):
    while x > 0:
        y = x * 10
        x -= 1
    return y


@case(3)
def shape_changes(x):
    s = tf.zeros(2)
    while x > 0:
        s = tf.concat([s, s], 0)
        x -= 1
    return s


@case(3)
def structure_changes(x):
    s = [x]
    while x > 0:
        s = [x, x]
        x -= 1
    return s


@case(3)
def none_before_while(x):
    y = None
    while x > 0:
        y = x if y is None else y + x
        x -= 1
    return y


@case(10)
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


# --- for


@case(5, 0)
def sum_of_range(n):
    s = 0
    for i in tf.range(n):
        s += i
    return s


@case(7)
def range_with_step(n):
    s = 0
    for i in tf.range(n, 0, -2):
        s = s * 10 + i
    return s, i


@case(2.0)
def range_of_floats(x):
    s = 0.0
    for i in tf.range(0.0, x, 0.5):
        s += i
    return s


@case(5)
def python_range_of_a_tensor(n):
    s = 0
    for i in range(n):
        s += i
    return s


@case(4)
def known_range(x):
    for i in tf.range(3):
        x = x * 2 + i
    return x


@case([[1.0, 2.0], [3.0, 4.0]])
def rows(x):
    s = tf.zeros(2)
    for row in x:
        s = s * 10 + row
    return s


@case([3, 1, 4, 1, 5])
def rows_with_break(x):
    s = 0
    for v in x:
        if v == 4:
            break
        s = s * 10 + v
    return s


@case(6, 2)
def range_with_break_and_continue(n):
    s = 0
    for i in tf.range(n):
        if i == 1:
            continue
        if i == 4:
            break
        s = s * 10 + i
    return s


@case(5)
def nested_loops(n):
    s = tf.constant(0)
    for i in tf.range(n):
        for j in tf.range(i):
            if j % 2 == 0:
                continue
            s += i * 10 + j
    return s


@case(3)
def made_in_a_turn_of_for(n):
    for i in tf.range(n):
        y = i * 2
    return y, i


@case(3)
def none_before_for(x):
    y = None
    for i in tf.range(3):
        y = i + x
    return y


@case(3)
def state_in_structures(x):
    d = {"a": x, "b": [x, 1]}
    for i in tf.range(3):
        d = {"a": d["a"] + i, "b": [d["b"][1], d["b"][0] * 2]}
    return d


@case(3)
def python_loop_with_branches(x):
    s = 0
    for i in [1, 2, 3, 4]:
        if i == 4:
            break
        if x < i:
            continue
        s += i
    return s


@case(3)
def variables_in_loops(n):
    v = VARIABLES()
    for i in tf.range(n):
        if i % 2 == 0:
            v.assign_add(i + 1)
    while v > 2:
        v.assign_sub(1)
    return v.read_value()


def VARIABLES():
    if not LOG:
        LOG.append(tf.Variable(0))
    LOG[0].assign(0)
    return LOG[0]


@case(3)
def values_read_before_a_loop(n):
    v = VARIABLES()
    v.assign(10)
    old = v.read_value()
    for i in tf.range(n):
        v.assign_add(old)
    return old, v.read_value()


@case(3.0)
def bodies_with_functions(x):
    def step(y):
        if y > 20.0:
            return y / 2.0
        return y * 3.0

    for _ in tf.range(4):
        x = step(x)
    return x


@case(2.0)
def gradients(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in tf.range(3):
            y = y * x
        if y > 10.0:
            y = y * 2.0
        else:
            y = y * 5.0
    return y, tape.gradient(y, x)


@case(2.0)
def gradients_with_break(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for i in tf.range(5):
            if y > 10.0:
                break
            y = y * x
    return y, tape.gradient(y, x)


# --- what TensorFlow refuses, and a program can do


@case(3)
def widens(x):
    s = 0
    while x > 0:
        s = s + 0.5
        x -= 1
    return s


@case(5, 100)
def return_from_a_loop(n):
    for i in tf.range(n):
        if i * i > 10:
            return i
    return -1


@case(1)
def while_true(x):
    while True:
        x = x + 1
        if x > 5:
            break
    return x


@case(2)
def break_of_a_python_loop(x):
    s = 0
    for i in [1, 2, 3, 4]:
        if x < i:
            break
        s += i
    return s


@case(3)
def reads_none_at_first(x):
    y = None
    for _ in tf.range(3):
        if y is None:
            y = x
        else:
            y = y + 1
    return y


@case(3)
def a_test_that_assigns(x):
    while (x := x - 1) > 0:
        last = x
    return x, last


@case([1, 2])
def unpacks_rows(x):
    a, b = x
    return a + b, [v * 2 for v in x]


@case(3, 1, 2)
def matches(x):
    match [1, 2]:
        case [a, b]:
            if x > b:
                return a
    return b if x > a else x
